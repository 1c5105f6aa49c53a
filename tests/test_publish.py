"""`conlipa publish` against the loopback Hub, and what stock libraries find there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from conlipa.atomic_files import write_json
from conlipa.dataset_scripts.loanwords.pairs import pairs_path, read_pairs
from conlipa.errors import ConlipaError
from conlipa.hub_cards import publish as publishing
from conlipa.hub_cards import retries
from conlipa.hub_cards.cards import wikiann_card
from conlipa.hub_cards.plan import _record, plan
from conlipa.modeling.records import RECORD
from tests.conftest import complaint, conlipa, run
from tests.hub import LoopbackHub, loopback_hub
from tests.hub.answer import Answer, Refused, as_json
from tests.serving import serving

REPOS = ["conlipa", "wikiann-ipa", "tiny-ner", "tiny-ipac", "phoneme_ner_f1", "zero-shot-ner"]


@pytest.fixture(scope="module")
def small_release(tiny_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny release with fewer languages, so that a publish is quick."""
    folder = tmp_path_factory.mktemp("publish") / "release"
    shutil.copytree(tiny_release, folder)
    for path in (folder / "wikiann-ipa").iterdir():
        if path.is_dir() and path.name not in ("eng", "tgk"):
            shutil.rmtree(path)
    (folder / "wikiann-ipa" / "README.md").write_text(wikiann_card(folder / "wikiann-ipa", "sample"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def hub(small_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Hub that the small release has been published to."""
    with loopback_hub(tmp_path_factory.mktemp("hub")) as served:
        done = conlipa("publish", str(small_release), "--namespace", "someone", env=served.env())
        assert done.stdout.count("someone/") == 2 * len(REPOS)
        yield served


def fresh(hub: Any, code: str) -> str:
    """A program of stock libraries only, in a fresh process that knows the Hub."""
    guard = "\nimport sys\nassert not any(m.split('.')[0] in ('modeling', 'dataset_scripts', 'conlipa') for m in sys.modules)"
    return run("-c", code + guard, env=hub.env()).stdout.strip()


def test_a_published_record_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    def published(repo: str) -> Any:
        recipe = {"encoder": {"repo": repo}, "ner": {"start": str(tmp_path / "first.yaml")}}
        write_json({"recipe": recipe, "start": {"ner": {"start": "mini-ninth"}}, "languages": ["eng"]}, tmp_path / RECORD)
        made = _record(tmp_path / RECORD)
        assert isinstance(made, bytes)
        return json.loads(made)

    found = published(str(tmp_path / "client" / "xphonebert"))
    assert found["recipe"] == {"encoder": {"repo": "xphonebert"}, "ner": {"start": "first.yaml"}}
    assert found["start"] == {"ner": {"start": "mini-ninth"}}
    assert published("vinai/xphonebert-base")["recipe"]["encoder"]["repo"] == "vinai/xphonebert-base"
    write_json({"recipe": {"encoder": {"repo": None}}}, tmp_path / RECORD)
    assert _record(tmp_path / RECORD) == tmp_path / RECORD


def test_nothing_unknown_was_asked(hub: Any) -> None:
    assert hub.unknown == []


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", ", streaming=True", ", revision='v0.1.0'"])
def test_datasets_load_from_the_hub(hub: Any, more: str) -> None:
    code = f"""
from datasets import load_dataset
print(next(iter(load_dataset('someone/conlipa', 'kat', split='train'{more})))['target'])
print(len(list(load_dataset('someone/wikiann-ipa', 'tgk', split='validation'{more}))))
"""
    assert fresh(hub, code).splitlines() == [read_pairs(pairs_path("kat"))[0]["target"], "80"]


@pytest.mark.slow
def test_models_load_from_the_hub_with_the_same_logits_and_the_adapter_names_its_base(hub: Any, small_release: Path) -> None:
    code = f"""
import torch
from peft import PeftConfig, PeftModel
from transformers import AutoModelForTokenClassification, AutoTokenizer
for folder in ("someone/tiny", {str(small_release / "tiny")!r}):
    tokenizer = AutoTokenizer.from_pretrained(folder + "-ner")
    model = PeftModel.from_pretrained(AutoModelForTokenClassification.from_pretrained(folder + "-ner"), folder + "-ipac").eval()
    with torch.inference_mode():
        print(model(**tokenizer("l ʌ n d ə n ▁ ɪ z", return_tensors="pt")).logits.tolist())
print(PeftConfig.from_pretrained("someone/tiny-ipac").base_model_name_or_path)
"""
    published, local, base = fresh(hub, code).splitlines()
    assert published == local
    assert base == "someone/tiny-ner"


@pytest.mark.slow
def test_publishing_again_makes_no_commit_and_a_changed_card_makes_one(hub: Any, small_release: Path) -> None:
    manifest = small_release / ".published" / "someone.json"
    conlipa("publish", str(small_release), "--namespace", "someone", env=hub.env())  # whatever other tests left there
    first = json.loads(manifest.read_text(encoding="utf-8"))["commits"]
    assert sorted(first) == sorted(f"someone/{name}" for name in REPOS)
    state = hub.state()
    conlipa("publish", str(small_release), "--namespace", "someone", env=hub.env())
    assert json.loads(manifest.read_text(encoding="utf-8"))["commits"] == first
    assert hub.state() == state
    card = small_release / "tiny-ner" / "README.md"
    original = card.read_bytes()
    card.write_bytes(original + b"\nOne more line.\n")
    conlipa("publish", str(small_release), "--namespace", "someone", env=hub.env())
    second = json.loads(manifest.read_text(encoding="utf-8"))["commits"]
    assert [name for name in first if first[name] != second[name]] == ["someone/tiny-ner"]
    card.write_bytes(original)


@pytest.mark.slow
def test_no_token_is_ever_shown(small_release: Path, tmp_path: Path) -> None:
    planted = "hf_plantedtoken0123456789"
    with loopback_hub(tmp_path / "hub", tokens={planted: "someone"}) as served:
        env = {**served.env(), "HF_TOKEN": planted, "HF_DEBUG": "1", "HF_HUB_VERBOSITY": "debug"}
        good = conlipa("publish", str(small_release), "--namespace", "someone", env=env)
        bad = conlipa("publish", str(small_release), "--namespace", "nobody", env=env, code=2)
        assert planted not in good.stdout + good.stderr + bad.stdout + bad.stderr
        assert not [path for path in small_release.rglob("*") if path.is_file() and planted.encode() in path.read_bytes()]


@pytest.mark.slow
def test_rights_are_named(small_release: Path, tmp_path: Path) -> None:
    command = ["publish", str(small_release), "--namespace", "someone"]
    with loopback_hub(tmp_path / "hub") as served:
        assert "namespace 'other' is not yours" in complaint("publish", str(small_release), "--namespace", "other", code=2, env=served.env())
        wrong = {**served.env(), "HF_TOKEN": "hf_wrong"}
        assert "the token is not accepted" in complaint(*command, code=1, env=wrong)
        assert "no Hub token" in complaint(*command, code=1, env={**served.env(), "HF_TOKEN": ""})


@pytest.mark.slow
def test_somebody_elses_repo_is_not_overwritten_without_force(small_release: Path, tmp_path: Path) -> None:
    upload = (
        "from huggingface_hub import HfApi; a = HfApi(); a.create_repo('someone/tiny-ner');"
        "a.upload_file(path_or_fileobj=b'mine', path_in_repo='thesis.txt', repo_id='someone/tiny-ner')"
    )
    with loopback_hub(tmp_path / "hub") as served:
        run("-c", upload, env=served.env())
        before = served.state()
        for more in ([], ["--dry-run"]):
            reason = complaint("publish", str(small_release), "--namespace", "someone", *more, code=1, env=served.env())
            assert "someone/tiny-ner: holds 1 files that this kit did not write (thesis.txt); --force replaces them" in reason
        assert served.state() == before
        conlipa("publish", str(small_release), "--namespace", "someone", "--force", env=served.env())


@pytest.fixture
def two_repos(small_release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release of which only the smallest two repos are published, in this process: the Hub's first pause is none."""
    monkeypatch.setattr(publishing, "plan", lambda *given: [repo for repo in plan(*given) if repo.name.endswith(("/tiny-ipac", "/phoneme_ner_f1"))])
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.0)
    return Path(shutil.copytree(small_release, tmp_path / "release"))


def published(release: Path, hub: Any, monkeypatch: pytest.MonkeyPatch, **more: bool) -> None:
    monkeypatch.setattr(publishing, "need_hub", lambda namespace: None)
    monkeypatch.setattr("huggingface_hub.HfApi", partial(HfApi, endpoint=hub.url, token="hf_test"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    publishing.publish(release, "someone", **more)


def test_private_makes_public_repos_private_before_anything_is_sent(two_repos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback_hub(tmp_path / "hub") as served:
        published(two_repos, served, monkeypatch)
        served.requests.clear()
        with (two_repos / "tiny-ipac" / "README.md").open("a", encoding="utf-8") as card:
            card.write("One more line.\n")
        published(two_repos, served, monkeypatch, private=True)
        calls = [path for method, path in served.requests if method in ("PUT", "POST")]
        settings = [number for number, path in enumerate(calls) if path.endswith("/settings")]
        assert len(settings) == 2
        assert max(settings) < min(number for number, path in enumerate(calls) if "/commit/" in path)
        api = HfApi(endpoint=served.url, token="hf_test")
        assert api.repo_info("someone/tiny-ipac").private
        assert api.repo_info("someone/phoneme_ner_f1", repo_type="space").private
        assert all(json.loads(data)["private"] for path, data in served.state().items() if path.startswith("collections/"))
        published(two_repos, served, monkeypatch)  # without the option nothing changes its visibility
        assert api.repo_info("someone/tiny-ipac").private


def test_a_hub_without_tags_and_collections_will_do(
    two_repos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = LoopbackHub.answer

    def answer(self: LoopbackHub, method: str, path: str, query: str, headers: Any, body: bytes) -> Answer:
        if path.startswith("/api/collections"):
            return Refused(501, "no collections here").answer()
        given = plain(self, method, path, query, headers, body)
        if method == "GET" and re.fullmatch(r"/api/(models|spaces|datasets)/someone/[^/]+", path) and given.status == 200:
            return as_json({key: value for key, value in json.loads(given.body).items() if key not in ("tags", "cardData")})
        return given

    monkeypatch.setattr(LoopbackHub, "answer", answer)
    with loopback_hub(tmp_path / "hub") as served:
        for _ in range(2):  # the second finds its own files
            published(two_repos, served, monkeypatch)
            said = capsys.readouterr()
            assert "conlipa: warning: no collection was made" in said.err
            assert len(re.findall(r"^[0-9a-f]{40}  someone/", said.out, re.MULTILINE)) == 2
            assert list(json.loads((two_repos / ".published" / "someone.json").read_text(encoding="utf-8"))["commits"]) == [
                "someone/tiny-ipac",
                "someone/phoneme_ner_f1",
            ]
        HfApi(endpoint=served.url, token="hf_test").upload_file(
            repo_id="someone/tiny-ipac", path_in_repo="README.md", path_or_fileobj=b"---\nlicense: mit\n---\nmine\n"
        )
        with pytest.raises(ConlipaError, match="files that this kit did not write"):
            published(two_repos, served, monkeypatch)


def test_files_that_are_removed_are_named_before(
    two_repos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with loopback_hub(tmp_path / "hub") as served:
        published(two_repos, served, monkeypatch)
        api = HfApi(endpoint=served.url, token="hf_test")
        api.upload_file(repo_id="someone/tiny-ipac", path_in_repo="notes.md", path_or_fileobj=b"a colleague's\n")
        before = served.state()
        capsys.readouterr()
        published(two_repos, served, monkeypatch, dry_run=True)
        assert capsys.readouterr().out.splitlines()[2:] == ["removes from someone/tiny-ipac: notes.md"]
        assert served.state() == before
        published(two_repos, served, monkeypatch)
        said = capsys.readouterr().out
        assert "\nremoves from someone/tiny-ipac: notes.md\n" in said
        assert said.count("removes") == 1
        assert not api.file_exists("someone/tiny-ipac", "notes.md")
        published(two_repos, served, monkeypatch)
        assert "removes" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("release.json", b"{", "release.json: not JSON"),
        ("release.json", b"[]", "release.json: expected a JSON object"),
        ("release.json", b"{}", "release.json: damaged (no recipe in it)"),
        ("release.json", b'{"recipe": {"name": "../../EVIL"}}', "release.json"),
        ("space/README.md", b"\xff\xfe", "space/README.md: the card is not UTF-8"),
        ("tiny-ipac/adapter_config.json", b"{}{", "adapter_config.json: not JSON"),
        ("tiny-ipac/adapter_config.json", b'{"base_model_name_or_path": "a b"}', "base_model_name_or_path is 'a b', expected one name"),
    ],
)
def test_a_damaged_release_is_one_line(small_release: Path, tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    folder = Path(shutil.copytree(small_release, tmp_path / "release"))
    (folder / name).write_bytes(content)
    with pytest.raises(ConlipaError) as caught:
        plan(folder, "someone")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 400


def test_a_card_that_the_hub_would_refuse_stops_before_anything_is_sent(small_release: Path, tmp_path: Path) -> None:
    folder = tmp_path / "release"
    shutil.copytree(small_release, folder)
    card = folder / "space" / "README.md"
    original = card.read_text(encoding="utf-8")
    for text, reason in [
        (original + "x" * 1_100_000, "bytes; 1000000 at most"),
        ("---\na: [\n---\n", "the card's YAML is not valid"),
        ("---\nsdk: gradio\n---\n", "has no tag 'conlipa'"),
    ]:
        card.write_text(text, encoding="utf-8")
        assert reason in complaint("publish", str(folder), "--namespace", "someone", "--dry-run", code=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["conlipa", "wikiann-ipa", "tiny-ner", "tiny-ipac"])
def test_the_code_in_the_cards_runs(hub: Any, name: str) -> None:
    kind = "dataset" if name in ("conlipa", "wikiann-ipa") else "model"
    card = fresh(hub, f"from huggingface_hub import hf_hub_download as d; print(open(d('someone/{name}', 'README.md', repo_type='{kind}')).read())")
    blocks = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert len(blocks) == 1
    assert "NAMESPACE" not in card
    fresh(hub, blocks[0])


@pytest.mark.slow
def test_the_published_space_serves_a_request(hub: Any, tmp_path: Path) -> None:
    from gradio_client import Client

    fresh(hub, f"from huggingface_hub import snapshot_download as d; d('someone/zero-shot-ner', repo_type='space', local_dir={str(tmp_path)!r})")
    with serving(tmp_path, {"CONLIPA_MODEL": "mini"}) as url:
        answer = Client(url, verbose=False).predict("Душанбе", "tgk", api_name="/tag")
    assert answer["text"] == "Душанбе"
    assert all(entity["text"] in answer["text"] for entity in answer["entities"])


@pytest.mark.slow
def test_a_fault_at_any_request_is_survived(small_release: Path, tmp_path: Path) -> None:
    done = run("-m", "tests.publish_faults", str(small_release), str(tmp_path), "--stride", "7", fresh=True)  # all of them: minutes
    assert "all were finished by a second one and outlasted with retries" in done.stdout


def test_neither_publishing_nor_the_page_loads_torch() -> None:
    """Seconds of waiting, for JSON files and an ONNX model."""
    run("-c", "import sys, conlipa.hub_cards.publish, conlipa.space.page; assert not {'torch', 'transformers'} & set(sys.modules)")
