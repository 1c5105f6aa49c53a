"""Threads, forked processes and pickles give what one call after the other gives, each in a fresh process that has met nothing before."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import shutil
from pathlib import Path

import pytest
from datasets.fingerprint import Hasher

from conlipa import Phonemizer, Tagger
from conlipa.errors import ConlipaError
from conlipa.modeling.inference.packaged import packaged
from tests.conftest import run

# Three languages of espeak-ng, which holds one voice a process, one of epitran, and names in kanji for janome and its cache, in turns.
PRELUDE = """
import asyncio, itertools, os, signal, sys, threading
from concurrent.futures import ThreadPoolExecutor
from conlipa import Tagger
from conlipa.dataset_scripts.g2p import phonemizer
from conlipa.dataset_scripts.g2p.phonemizer import forget
from conlipa.dataset_scripts.wikiann.wikiann import source
LANGS = ("eng", "bel", "urd", "swa")
MANY = int(os.environ["MANY"])
NAMES = ["".join(four) for four in itertools.product("東京山田川大日本小中高村", repeat=4)][::7]
KANJI = [(" ".join(NAMES[number::MANY][:30]), "jpn") for number in range(MANY)]
ROWS = zip(*([(" ".join(s.tokens), lang) for s in source("sample").sentences(lang, "validation")[:MANY]] for lang in LANGS), KANJI)
WORK = [pair for row in ROWS for pair in row]
os.setsid()
signal.signal(signal.SIGALRM, lambda *_: os.killpg(0, signal.SIGKILL))  # what hangs is killed, and its children with it
signal.alarm(240)
tagger = Tagger.from_pretrained(os.environ["MODEL"], backend=os.environ["BACKEND"])

def serial(tagger):
    forget()
    expected = [tagger(text, lang=lang) for text, lang in WORK]
    assert sum(map(bool, expected)) > len(WORK) / 2
    return expected
"""
THREADS = """
sys.setswitchinterval(1e-5)  # threads take turns as often as on a busy machine
with ThreadPoolExecutor(8) as pool:
    found = list(pool.map(lambda pair: tagger(pair[0], lang=pair[1]), WORK))
forget()

async def main():
    return await asyncio.gather(*(asyncio.to_thread(tagger, text, lang) for text, lang in WORK))

awaited = asyncio.run(main())
expected = serial(tagger)
assert found == expected, sum(a != b for a, b in zip(found, expected))
assert awaited == expected, sum(a != b for a, b in zip(awaited, expected))
"""
SPACY_THREADS = """
sys.setswitchinterval(1e-5)
import spacy
pipes = {}
for lang in LANGS:
    pipes[lang] = spacy.blank("xx")
    pipes[lang].add_pipe("conlipa", config={"lang": lang})
texts = {lang: [text for text, other in WORK if other == lang] for lang in LANGS}

def spans(lang):
    return [[(e.text, e.label_, e.start_char) for e in doc.ents] for doc in pipes[lang].pipe(texts[lang], batch_size=1)]

with ThreadPoolExecutor(8) as pool:
    found = list(pool.map(spans, LANGS * 2))
forget()
assert found == [spans(lang) for lang in LANGS] * 2
assert any(any(map(bool, docs)) for docs in found)
"""
FORK = """
expected = serial(tagger)
texts = [text for text, lang in WORK if lang == "swa"]
together = tagger(texts, lang="swa")
done = threading.Event()

def busy(lang):
    while not done.is_set():
        for text, _ in WORK[:8]:
            phonemizer.Phonemizer(lang)(text.split())
            tagger(text, lang=lang)

others = [threading.Thread(target=busy, args=(lang,), daemon=True) for lang in ("eng", "urd", "jpn")]
for other in others:
    other.start()
for _ in range({forks}):
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(100)
        forget()
        right = tagger(texts, lang="swa") == together and [tagger(text, lang=lang) for text, lang in WORK] == expected
        os._exit(0 if right else 3)
    _, status = os.waitpid(child, 0)
    assert status == 0, f"signal {{status & 127}}, exit {{status >> 8}}"
done.set()
for other in others:
    other.join()
assert [tagger(text, lang=lang) for text, lang in WORK] == expected
"""
MAP = """
from datasets import Dataset
texts = [text for text, lang in WORK if lang == "swa"]

def tagged(tagger):
    rows = Dataset.from_dict({"text": texts})
    names = lambda batch: {"found": [[e.text for e in entities] for entities in tagger(batch["text"], lang="swa")]}
    return rows.map(names, batched=True, num_proc=2)["found"][:]

expected = [[e.text for e in entities] for entities in tagger(texts, lang="swa")]
assert tagged(tagger) == expected
assert any(expected)
"""
SPACY_PROCESSES = """
import spacy
nlp = spacy.blank("xx")
nlp.add_pipe("conlipa", config={"lang": "swa"})
texts = [text for text, lang in WORK if lang == "swa"]
expected = [[(e.text, e.label_) for e in doc.ents] for doc in nlp.pipe(texts)]
assert [[(e.text, e.label_) for e in doc.ents] for doc in nlp.pipe(texts, n_process=2, batch_size=5)] == expected
assert any(expected)
"""
TWO_THREADS = {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive"}  # of torch's own: they are what does not survive a fork


ONNX = {"BACKEND": "onnx", "MODEL": "mini", "MANY": "40"}
TORCH = {"BACKEND": "torch", "MODEL": packaged("mini-en")[0], "MANY": "3"}  # no adapter: peft takes seconds to import


def check(script: str, **env: str) -> None:
    """Runs a script in a fresh process; an assertion of the script that fails ends it with another code than 0, which `run` refuses."""
    run("-W", "ignore", "-c", PRELUDE + script, env={**TWO_THREADS, **env}, timeout=300)


def test_threads_give_what_one_call_after_the_other_gives() -> None:
    check(THREADS, **ONNX)


def test_spacy_in_threads_gives_what_it_gives_alone() -> None:
    pytest.importorskip("spacy", reason="the extra 'spacy' is not installed")
    check(SPACY_THREADS, **ONNX)


def test_a_forked_process_goes_on_with_the_tagger_while_threads_are_busy() -> None:
    check(FORK.format(forks=3), **ONNX | {"MANY": "10"})


def test_a_data_set_is_tagged_by_two_processes(tmp_path: Path) -> None:
    check(MAP, **ONNX, HF_HOME=str(tmp_path))


def test_torch_in_threads_and_forked_processes(tmp_path: Path) -> None:
    check(THREADS + FORK.format(forks=1) + MAP, **TORCH, HF_HOME=str(tmp_path))


def test_spacy_tags_in_two_processes() -> None:
    pytest.importorskip("spacy", reason="the extra 'spacy' is not installed")
    check(SPACY_PROCESSES, **ONNX)


# A tagger is pickled by `datasets` and `multiprocessing`; a deep copy is made by the same `__reduce__`.
TEXT = "Дарёи Зарафшон , Тоҷикистон"


@pytest.mark.parametrize(("model", "backend"), [("mini", "onnx"), (packaged("mini-en")[0], "torch")])
def test_a_pickled_tagger_is_what_it_was_made_from(model: str, backend: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tagger = Tagger.from_pretrained(model, lang="tgk", backend=backend)
    tagger.backend.temperature = 1.5  # type: ignore[misc]
    before = pickle.dumps(tagger)
    found = tagger(TEXT)
    assert found
    assert pickle.dumps(tagger) == before  # what it has learnt is no part of it
    assert len(before) < 2000
    monkeypatch.chdir(tmp_path)
    again = copy.deepcopy(tagger)
    assert again.backend is not tagger.backend
    assert type(again.backend) is type(tagger.backend)
    assert again.backend.temperature == 1.5
    assert again(TEXT) == found
    if backend == "onnx":
        with multiprocessing.get_context("spawn").Pool(1) as fresh:
            assert fresh.apply(tagger, (TEXT,)) == found


def test_its_hash_is_the_same_in_any_process_and_follows_what_it_reads_by(tmp_path: Path) -> None:
    code = "from datasets.fingerprint import Hasher; from conlipa import Tagger; t = Tagger.from_pretrained(lang='tgk'); {}; print(Hasher.hash(t))"
    hashes = {run("-c", code.format(use), env={"PYTHONHASHSEED": seed}).stdout for seed, use in (("1", "0"), ("2", f"t({TEXT!r})"))}
    assert hashes == {Hasher.hash(Tagger.from_pretrained(lang="tgk")) + "\n"}
    assert Hasher.hash(Tagger.from_pretrained(lang="kir")) + "\n" not in hashes
    table = tmp_path / "letters.csv"
    table.write_text("Orth,Phon\na,a\n", encoding="utf-8")
    makers = (lambda: Tagger.from_pretrained(engine=f"map:{table}"), lambda: Phonemizer("haw", f"map:{table}"))
    first = [Hasher.hash(make()) for make in makers]
    table.write_text("Orth,Phon\na,e\n", encoding="utf-8")
    assert not {*first} & {Hasher.hash(make()) for make in makers}


def test_a_pickle_of_weights_that_have_changed_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "ner"
    shutil.copytree(packaged("mini-en")[0], folder)
    tagger = Tagger.from_pretrained(str(folder))
    copy.deepcopy(tagger)
    with (folder / "model.safetensors").open("r+b") as weights:
        weights.seek(-4, 2)
        weights.write(b"\0\0\0\1")
    with pytest.raises(ConlipaError, match="has changed since the tagger that reads it was pickled"):
        copy.deepcopy(tagger)
