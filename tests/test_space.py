"""The Space as it is uploaded, served on this machine and asked through its API; its parts without a server."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st

from conlipa.dataset_scripts.g2p.words import words
from conlipa.dataset_scripts.languages import by_case, languages
from conlipa.dataset_scripts.loanwords.pairs import pairs_path, read_pairs
from conlipa.errors import ConlipaError
from conlipa.modeling.inference.loading import temperature
from conlipa.modeling.inference.packaged import packaged
from conlipa.modeling.inference.saving import license_of
from conlipa.modeling.inference.tagger import Entity, Tagger
from conlipa.space import choices, letters, page, quality, rendering, tagging
from conlipa.space.guard import MAX_BYTES
from conlipa.space.neighbours import Neighbour, nearest
from tests.benchmarks.space import load
from tests.serving import serving


@pytest.fixture(scope="module")
def served(tiny_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Space of the tiny release, in a folder of its own."""
    folder = tmp_path_factory.mktemp("space")
    shutil.copytree(tiny_release / "space", folder, dirs_exist_ok=True)
    with serving(folder, {"CONLIPA_MODEL": str(tiny_release / "tiny-ner"), "CONLIPA_ADAPTER": str(tiny_release / "tiny-ipac")}) as url:
        yield url


@pytest.fixture(scope="module")
def client(served: str) -> Any:
    from gradio_client import Client

    return Client(served, verbose=False)


@pytest.mark.slow
def test_the_json_endpoints_give_spans_and_phonemes(client: Any) -> None:
    text = "ශ්‍රී ලංකාව ඉන්දියාවේ අසල්වැසියෙකි ."
    answer = client.predict(text, "sin", api_name="/tag")
    assert answer["text"] == text
    for entity in answer["entities"]:
        assert text[entity["start"] : entity["end"]] == entity["text"]
    spoken = client.predict("London.", "eng", api_name="/phonemize")
    assert spoken["text"] == "London."
    assert spoken["ipa"].endswith(" ▁ .")
    assert spoken["ipa"].startswith("l ")
    assert client.predict("London.", "eng", True, api_name="/phonemize")["ipa"] == f"^ {spoken['ipa']}"


@pytest.mark.slow
def test_hostile_input_is_refused_in_words(client: Any) -> None:
    from gradio_client.exceptions import AppError

    for text, lang, complaint in (
        ("x" * 20_000, "sin", "5000 at most"),
        ("x", "sim", "unknown language 'sim'"),
        ("x", None, "language must be a string"),
        (["x"], "sin", "text must be a string"),
    ):
        for endpoint in ("/tag", "/phonemize"):
            with pytest.raises(AppError, match=complaint):
                client.predict(text, lang, api_name=endpoint)
    assert client.predict("<script>alert(1)</script>\x00", "eng", api_name="/tag")["text"].startswith("<script>")


@pytest.mark.slow
def test_half_a_surrogate_pair_is_refused_in_words(served: str) -> None:
    body = rb'{"data": ["a\ud800b", "sin"]}'  # JSON can say it, Python's client cannot
    call = httpx.post(f"{served}/gradio_api/call/tag", content=body, headers={"content-type": "application/json"}, timeout=60)
    answer = httpx.get(f"{served}/gradio_api/call/tag/{call.json()['event_id']}", timeout=60).text
    assert "Character 2 of the text is half a surrogate pair" in answer


@pytest.mark.slow
def test_a_huge_request_gets_a_plain_answer(served: str) -> None:
    huge = {"data": ["x" * 10_000_000, "sin"]}
    said = httpx.post(f"{served}/gradio_api/call/tag", json=huge, timeout=60)
    pieces = httpx.post(f"{served}/gradio_api/call/tag", content=(b"x" * 100_000 for _ in range(100)), timeout=60)  # its length unsaid
    assert (said.status_code, pieces.status_code) == (413, 413)
    assert str(MAX_BYTES) in said.text
    assert httpx.get(served, timeout=60).headers["content-security-policy"].startswith("default-src 'self'")


@pytest.mark.slow
def test_a_batch_is_answered_text_by_text_or_refused_in_words(client: Any) -> None:
    from gradio_client.exceptions import AppError

    texts = ["London is big.", "", "Paris"]
    answers = client.predict(texts, "eng", api_name="/tag_batch")
    assert [answer["text"] for answer in answers] == texts
    assert answers[0]["entities"] == client.predict(texts[0], "eng", api_name="/tag")["entities"]
    for wrong, complaint in (([], "holds no text"), (["x"] * 201, "200 at most"), ([5], "text 1 is not a string"), ("x", "must be a list")):
        with pytest.raises(AppError, match=complaint):
            client.predict(wrong, "eng", api_name="/tag_batch")


@pytest.mark.slow
def test_forty_calls_at_once_are_answered_rightly(tmp_path: Path) -> None:
    measured = load(40, tmp_path, langs=8)
    assert measured.wrong == 0
    assert measured.grown < 100e6


def test_every_language_of_the_papers_has_its_own_example_and_all_can_be_chosen() -> None:
    isos = by_case("source", "1", "2", "3", "conlipa")
    assert len(isos) == 44
    assert sorted(choices.examples()) == sorted(isos)
    assert sorted(languages()) == sorted(iso for _, iso in choices.choices())
    assert len(set(choices.examples().values())) == 44
    assert all(f"({iso})" in name for name, iso in choices.choices())


def test_links_point_at_the_repos_of_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert "huggingface.co" not in choices.links()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPACE_ID", "copy/zero-shot-ner")
    assert "huggingface.co" not in choices.links()
    front = "models: [someone/own-ner, someone/own-ipac]\ndatasets: [someone/conlipa, someone/wikiann-ipa]"
    (tmp_path / "README.md").write_text(f"---\n{front}\n---\n", encoding="utf-8")
    for repo in ("someone/own-ner", "someone/own-ipac", "datasets/someone/conlipa", "datasets/someone/wikiann-ipa"):
        assert f"(https://huggingface.co/{repo})" in choices.links()


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("", "the letter table is empty|expected the header"),
        ("a,b", "line 1: expected the header 'Orth,Phon'"),
        ("Orth,Phon\na,a\n<b>,c,d", "line 3: expected two columns"),
        ("Orth,Phon\na,a\na,b", "line 3: 'a' stands in the table twice"),
        ("Orth,Phon\n" + "\n".join(f"{chr(0x4E00 + i)},a" for i in range(letters.MAX_ROWS + 1)), "2001 rows; 2000 at most"),
        ("Orth,Phon\na," + "a" * 30, "a cell may have 20 characters"),
        ("Orth,Phon\n" + "a" * 20_000, "20000 at most"),
        ("Orth,Phon\n\ud800,a", "half a surrogate pair"),
    ],
)
def test_a_wrong_letter_table_is_told_by_line(table: str, complaint: str) -> None:
    with pytest.raises(ConlipaError, match=complaint) as error, letters.engine(table):
        pass
    assert "/" not in str(error.value)  # no path of this machine


def test_calls_at_once_give_what_one_after_the_other_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONLIPA_MODEL", raising=False)
    monkeypatch.setattr(tagging, "_FORGET_AFTER", 10)  # while others are at work
    calls = [(text, lang) for lang in ("eng", "urd", "hin", "swa") for text in (choices.examples()[lang], choices.examples()[lang][::-1])] * 4

    def answer(call: tuple[str, str]) -> Any:
        return tagging.tag(*call), tagging.spoken(*call)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(answer, calls))
    assert found == [answer(call) for call in calls]
    with letters.engine(choices.example_letters()) as engine:
        _, spoken = tagging.by_letters(choices.LETTERS_TEXT, engine)
    assert all(phonemes for _, phonemes in spoken)


def test_a_letter_table_leaves_no_file_behind() -> None:
    with letters.engine(choices.example_letters()) as engine:
        path = Path(engine.removeprefix("map:"))
        assert path.is_file()
    assert not path.parent.exists()


class _Text(HTMLParser):
    """What a browser would show, without phonemes and labels, and which elements there are."""

    def __init__(self) -> None:
        super().__init__()
        self.shown, self.elements, self._hidden = "", set[str](), 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self._hidden += tag in ("rt", "span", "h2", "p")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("rt", "span", "h2", "p")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.shown += data


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])) | st.text("<>&\"'${}`=/ aб"), st.data())
def test_any_text_is_shown_as_itself(text: str, data: st.DataObject) -> None:
    found = words(text)
    entities = []
    if found:
        first = data.draw(st.integers(0, len(found) - 1))
        last = data.draw(st.integers(first, len(found) - 1))
        start, end = found[first].start, found[last].end
        entities.append(Entity(start, end, text[start:end], "LOC", 0.5))
    parser = _Text()
    parser.feed(rendering.tagged(text, [(word, ["a"]) for word in found], entities, "<Title>", "sin"))
    parser.close()
    assert parser.shown == text
    assert parser.elements <= {"section", "h2", "div", "ruby", "rt", "mark", "span", "p"}


@pytest.mark.parametrize(("lang", "direction"), [("urd", "rtl"), ("heb", "rtl"), ("aii", "rtl"), ("eng", "ltr"), ("khm", "ltr"), ("", "auto")])
def test_a_text_runs_as_its_language_is_written_whatever_it_begins_with(lang: str, direction: str) -> None:
    assert f'dir="{direction}"' in rendering.tagged("BBC نے", [], [], "Entities", lang)
    assert choices.box(lang).rtl == (direction == "rtl")


def test_control_characters_are_shown_as_pictures() -> None:
    assert rendering.shown("a\x00\x1b<b>\n") == "a␀␛&lt;b&gt;\n"
    assert "<i>" not in rendering.message("<i>") + rendering.nearest_table("<i>", [Neighbour("kor", "<i>", [("<i>", "<i>")], 0.5)])


def test_the_words_that_sound_like_a_name() -> None:
    found = nearest("Mumbai", "m u m b ə i")
    assert len(found) == 5
    assert all(one.word != "Mumbai" for one in found)
    assert [one.similarity for one in found] == sorted((one.similarity for one in found), reverse=True)
    for one in found:
        assert "".join(first for first, _ in one.aligned) == "mumbəi"


def test_what_to_expect_of_a_language_is_what_the_card_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONLIPA_MODEL", raising=False)
    card = ModelCard.load(Path(packaged("mini")[1] or "") / "README.md")
    (score,) = (one.metric_value for one in card.data.eval_results if one.dataset_config == "tg" and one.metric_name.startswith("strict"))
    assert quality.expected("tgk") == f"Entity F1 on Wikipedia's titles and lists, measured: {score:.0f} of 100. Never seen in training."
    assert quality.expected("deu").endswith("Trained on.")
    assert quality.expected("xxx") == ""
    assert quality.expected("khk") == "Quality not measured. Never seen in training."


def test_a_loanword_leads_to_its_english_word() -> None:
    (taxi,) = (pair for pair in read_pairs(pairs_path("tur")) if pair["target"] == "taksi")
    assert ("eng", "taxi") in [(one.language, one.word) for one in nearest("taksi", str(taxi["target_ipa"]))]


def test_phonemes_that_differ_are_marked_and_read_aloud() -> None:
    shown = rendering.nearest_table("x", [Neighbour("eng", "y", [("m", "m"), ("u", "ʌ"), ("i", "")], 0.5)])
    assert shown.count('class="differs"') == 2
    assert 'aria-label="m ʌ under m u i"' in shown
    assert rendering.GAP in shown


def test_long_texts_are_forgotten_sooner_than_short_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[bool] = []
    monkeypatch.setattr(tagging.g2p, "forget", lambda: forgotten.append(True))
    monkeypatch.setattr(tagging, "_FORGET_AFTER", 10)
    monkeypatch.setattr(tagging, "_spent", 0)
    for _ in range(3):
        tagging.spoken("a", "eng")
    assert not forgotten
    for _ in range(3):
        tagging.spoken("a " * 2000, "eng")
    assert forgotten


def test_what_is_compared_is_scored_at_one_temperature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONLIPA_MODEL", raising=False)
    model, adapter = packaged("mini")
    text = choices.examples()["eng"]
    plain: Any = Tagger.from_pretrained(model, lang="eng")
    plain.backend.temperature = temperature(model, adapter)
    assert temperature(model, adapter) != temperature(model, None)
    assert tagging.tag(text, "eng", with_adapter=False) == plain(text)


def test_a_card_that_is_no_yaml_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: [mit\n---\n", encoding="utf-8")
    assert quality._measured(str(tmp_path)) == {}
    assert license_of(tmp_path) is None


def test_a_link_opens_in_a_language_of_the_page_alone() -> None:
    (codes,) = re.findall(r"(\[[^][]*\])\.includes", page.open_script())
    assert sorted(json.loads(codes)) == sorted(languages())
