"""The page of the Space as a visitor meets it, in headless Chromium; no request of any test leaves this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from conlipa.dataset_scripts.g2p.words import words
from conlipa.space import choices, space_files
from tests.browser import DESKTOP, PHONE, barriers, browser, choose, pick
from tests.serving import serving

pytestmark = pytest.mark.slow
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script> ${window.hacked=3} {{window.hacked}} &lt;b&gt; Paris \x00\x1b\u202e'
SEEN = "n => { const c = n.cloneNode(true); c.querySelectorAll('rt, .label').forEach(x => x.remove()); return c.textContent; }"
"""The text of a result without phonemes and labels."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("space")
    for path in space_files():
        shutil.copy(path, folder)
    with serving(folder, {"CONLIPA_MODEL": "mini"}) as url:
        yield url


@pytest.fixture(params=[DESKTOP], ids=["desktop"])
def page(chromium: Any, served: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page, open and with its first result; afterwards: nothing asked elsewhere, nothing hacked, no error in its scripts."""
    context = chromium.new_context(viewport=request.param, permissions=["clipboard-read", "clipboard-write"])
    asked: list[str] = []
    broken: list[str] = []
    context.on("request", lambda asking: asked.append(asking.url))
    opened = context.new_page()
    opened.set_default_timeout(90_000)  # the machine may be busy with other tests
    opened.on("pageerror", lambda error: broken.append(str(error)))
    opened.goto(served)
    opened.wait_for_selector("#result .tagged")
    yield opened
    assert opened.evaluate("window.hacked") is None
    assert not broken
    assert len(asked) > 5
    assert {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}
    context.close()


def tagged(page: Any, text: str, shown: str | None = None) -> Any:
    """Type a text, tag it, and wait for its result, which shows the text, or `shown`."""
    page.locator("#text textarea").fill(text)
    page.click("#tag")
    page.wait_for_function(f"text => [...document.querySelectorAll('#result .text')].some(n => ({SEEN})(n) === text)", arg=shown or text)
    return page.locator("#result .text").first


def test_sinhala_is_typed_chosen_and_highlighted(page: Any, served: str) -> None:
    from gradio_client import Client

    choose(page, "tajik", "tgk")
    choose(page, "sinh", "sin")
    text = choices.examples()["sin"]
    assert page.locator("#text textarea").input_value() == text
    result = tagged(page, text + " " + text)
    found = Client(served, verbose=False).predict(text + " " + text, "sin", api_name="/tag")["entities"]
    marks = result.locator("mark")
    assert [marks.nth(i).evaluate(SEEN) for i in range(marks.count())] == [entity["text"] for entity in found]
    assert [marks.nth(i).locator(".label").inner_text().split()[-1] for i in range(marks.count())] == [f"{e['score']:.2f}" for e in found]
    ipa = result.locator("rt").all_inner_texts()
    assert len(ipa) == 2 * sum(any(map(str.isalpha, word.text)) for word in words(text))
    assert all(word.strip() for word in ipa)


def test_what_a_model_finds_is_marked_and_has_neighbours(page: Any) -> None:
    choose(page, "(eng", "eng")
    text = "Angela Merkel met Emmanuel Macron in Berlin, Germany. Microsoft Corporation is in Washington, United States."
    assert tagged(page, text).locator("mark").count() > 0
    page.locator("#entity input").first.focus()
    page.keyboard.press("Space")
    page.wait_for_selector("#nearest .aligned", timeout=200_000)
    assert page.locator("#nearest .aligned").count() == 5
    assert page.locator("#nearest meter").count() >= 4 + 2
    assert page.locator("#nearest .verdict").inner_text().startswith(page.locator("#entity label").first.inner_text())


def test_a_language_brings_its_example_and_leaves_a_text_of_ones_own_alone(page: Any) -> None:
    typed = page.locator("#text textarea")
    choose(page, "(urd", "urd")
    assert typed.input_value() == choices.examples()["urd"]
    page.click("#example")
    page.wait_for_function("text => document.querySelector('#text textarea').value === text", arg=choices.sentences()["urd"][1])
    pick(page, "(deu")
    page.wait_for_function("document.querySelector('#text textarea').value === ''")  # it has none, and another language's would mislead
    pick(page, "(kir")
    typed.fill("Айгүл")  # at once, before the server has answered
    page.wait_for_selector('#result .text[data-language="kir"]')
    choose(page, "(tgk", "tgk")
    assert typed.input_value() == "Айгүл"
    page.click("#example")
    page.wait_for_function("text => document.querySelector('#text textarea').value === text", arg=choices.examples()["tgk"])


def test_the_result_is_of_the_language_chosen_last_however_slow_the_server(page: Any) -> None:
    held: list[Any] = []
    page.route("**/queue/join*", lambda call: held.append(call))
    typed = "text => document.querySelector('#text textarea').value === text"
    for lang in ("urd", "kir"):
        pick(page, f"({lang}")
        page.wait_for_function(typed, arg=choices.examples()[lang])
    assert held
    page.route("**/queue/join*", lambda call: call.continue_())
    for call in held:
        call.continue_()
    page.wait_for_selector('#result .text[data-language="kir"]')
    assert page.locator("#result .text").evaluate(SEEN) == choices.examples()["kir"]


PLACES = {"sin": "කොළඹ දිස්ත්‍රික්කය", "urd": "کراچی، پاکستان", "kin": "Kigali, Rwanda", "khm": "ភ្នំពេញ, កម្ពុជា"}


@pytest.mark.parametrize(("lang", "place"), PLACES.items(), ids=PLACES)
def test_a_name_is_explained_found_in_a_document_and_shared(page: Any, lang: str, place: str) -> None:
    page.click("#documents button")  # Gradio makes what is in it when it opens: early, so that it is there when it is asked
    if lang == choices.FIRST:
        choose(page, "(tgk", "tgk")  # the page opens with it: what comes of choosing it could not be told from what is there
    choose(page, f"({lang}", lang)
    assert tagged(page, place).locator("mark").count() == 1
    page.locator("#entity input").check()
    page.wait_for_selector("#nearest .aligned", timeout=200_000)
    assert page.locator("#nearest .aligned").count() == 5
    assert place in page.locator("#nearest .verdict").inner_text()
    page.locator("#pasted textarea").fill(f"{place}\n\n{place}")
    page.click("#tag-document")
    page.wait_for_selector("#document-result caption")
    row = page.locator("#document-result tbody tr").first
    assert place in row.inner_text()
    assert "2" in row.inner_text().split()
    page.click("#share")
    page.wait_for_function("location.hash.includes('lang=')")
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector(f'#result .text[data-language="{lang}"] mark', timeout=90_000)
    assert other.locator("#text textarea").input_value() == place


def test_urdu_is_shown_from_right_to_left(page: Any) -> None:
    choose(page, "(urd", "urd")
    result = tagged(page, choices.examples()["urd"])
    assert result.evaluate("n => getComputedStyle(n).direction") == "rtl"
    boxes = [result.locator("ruby").nth(i).bounding_box() for i in (0, 1)]
    assert boxes[0]["x"] > boxes[1]["x"]
    assert page.locator("#text textarea").evaluate("n => getComputedStyle(n).direction") == "rtl"
    foreign = "BBC نے کراچی میں ایک دفتر کھولا۔"
    assert tagged(page, foreign).evaluate("n => getComputedStyle(n).direction") == "rtl"  # whatever the text begins with
    tagged(page, choices.examples()["urd"])
    page.click("#correct > button")
    page.click("#correct-start")
    page.wait_for_function("getComputedStyle(document.querySelector('#names')).direction === 'rtl'")
    first, second = choices.examples()["urd"].split()[:2]
    stretches = page.locator("#names")
    boxes = [stretches.get_by_text(word, exact=True).first.bounding_box() for word in (first, second)]
    assert boxes[0]["x"] > boxes[1]["x"]


def test_with_and_without_ipac_stand_side_by_side(page: Any) -> None:
    page.check("#compare input")
    page.wait_for_selector("#result .tagged:nth-child(2)")
    assert page.locator("#result h2").all_inner_texts() == ["With IPAC", "Without IPAC"]
    left, right = (page.locator("#result .tagged").nth(i).bounding_box() for i in (0, 1))
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]


def test_own_letters_read_a_language_that_is_not_listed(page: Any, tmp_path: Path) -> None:
    page.click("#letters button >> nth=0")
    page.click("#own-tag")
    page.wait_for_selector("#own-result rt")
    assert page.locator("#own-result rt").first.inner_text() == "tʰbilisi"
    table = tmp_path / "mine.csv"
    table.write_text("Orth,Phon\nთ,a,<img src=x onerror=window.hacked=4>\n", encoding="utf-8")
    page.locator("input[type=file]").set_input_files(table)
    page.wait_for_function("document.querySelector('#own-table textarea').value.includes('hacked=4')")
    page.click("#own-tag")
    page.wait_for_selector("#own-result [role=alert]")
    assert "line 2: expected two columns" in page.locator("#own-result [role=alert]").inner_text()
    assert page.locator("#own-result img").count() == 0


def test_hostile_text_is_shown_and_not_run(page: Any) -> None:
    choose(page, "(eng", "eng")
    tagged(page, HOSTILE, HOSTILE.translate({0: "␀", 0x1B: "␛"}))
    assert page.locator("#result :is(img, script, b)").count() == 0


def test_a_paste_of_ten_megabytes_gets_a_plain_message(page: Any) -> None:
    page.locator("#text textarea").fill("")
    page.evaluate("navigator.clipboard.writeText('x'.repeat(10_000_000))")
    page.locator("#text textarea").focus()
    page.keyboard.press("Control+V")
    page.wait_for_function("document.querySelector('#text textarea').value.length > 5000")
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector("#result [role=alert]")
    assert "5000 at most" in page.locator("#result [role=alert]").inner_text()
    tagged(page, "Paris")


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_a_phone_shows_everything_without_sideways_scrolling(page: Any) -> None:
    choose(page, "(eng", "eng")
    page.check("#compare input")
    tagged(page, "Constantinople " * 20 + "x" * 300)
    page.wait_for_selector("#result .tagged:nth-child(2)")
    page.click("#letters button >> nth=0")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    above, below = (page.locator("#result .tagged").nth(i).bounding_box() for i in (0, 1))
    assert above["y"] + above["height"] <= below["y"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_no_barrier(chromium: Any, served: str, size: dict[str, int], scheme: str) -> None:
    context = chromium.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    opened = context.new_page()
    opened.set_default_timeout(90_000)
    opened.goto(f"{served}?__theme={scheme}")
    opened.wait_for_selector("#result .tagged")
    opened.click("#documents button")
    opened.click("#correct > button")
    # The page opens with the last one, whose coming could not be seen at first. Colours and sizes differ by direction and script alone.
    for lang in ("urd", "kin", "khm", "sin") if (size, scheme) == (DESKTOP, "light") else ("urd", "khm"):
        choose(opened, f"({lang}", lang)
        if opened.locator("#entity input").count():
            opened.locator("#entity input").first.check()
            opened.wait_for_selector("#nearest .aligned")
        opened.click("#correct-start")
        opened.wait_for_timeout(1500)  # what fades in is half transparent until then
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), lang
        assert not barriers(opened), lang
    context.close()


def upload(page: Any, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.click("#document")
    chooser.value.set_files(path)


def test_a_table_is_uploaded_tagged_and_downloaded(page: Any, tmp_path: Path) -> None:
    table = tmp_path / "letters.csv"
    table.write_text("id,body\n1,Maria lives in Berlin.\n2,=SUM(1) Berlin\n", encoding="utf-8")
    page.click("#documents button")
    upload(page, table)
    page.click("#column input")
    page.get_by_role("option", name="body").click()
    page.click("#tag-document")
    page.wait_for_selector("#document-result caption")
    assert page.inner_text("#document-result caption").startswith("letters.csv, Sinhala: 2 texts, ")
    page.wait_for_selector("#document-files a")
    files = page.locator("#document-files a[download], #document-files a[href]")
    names = [files.nth(i).get_attribute("download") or files.nth(i).get_attribute("href") for i in range(files.count())]
    assert [name.rpartition(".")[2] for name in names] == ["conll", "jsonl", "zip", "csv"]
    assert not barriers(page)


def test_what_is_no_text_is_refused_on_the_page(page: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"PK\x03\x04" + b"\0" * 100)
    page.click("#documents button")
    upload(page, bad)
    page.wait_for_selector("#document-result .complaint")
    assert "unpack an archive" in page.inner_text("#document-result")


def taken_up(page: Any, text: str, word: str) -> Any:
    """The stretches of an English text to be corrected, once this word of it is there."""
    page.locator("#text textarea").fill(text)
    page.click("#correct-start")
    page.locator("#names").get_by_text(word, exact=True).wait_for()
    return page.locator("#names")


def labelled_and_kept(page: Any, word: str) -> str:
    """Label a word ORG, keep the sentences, and read the file."""
    page.locator("#names").get_by_text(word, exact=True).dblclick()
    page.keyboard.type("org")
    page.keyboard.press("Enter")
    page.click("#correct-save")
    page.wait_for_selector("#corrected a")
    return str(page.request.get(page.locator("#corrected a").first.get_attribute("href")).text())


def keeps_sentences(page: Any, number: int) -> bool:
    """Keep the sentences; whether the page comes to say that it has so many (a spinner may stand before it for a moment)."""
    page.click("#correct-save")
    page.wait_for_function(
        "said => document.querySelector('#kept').innerText.trim().startsWith(said)", arg=f"Kept in this browser: {number} sentences"
    )
    return True


def test_an_answer_is_corrected_and_downloaded(page: Any) -> None:
    choose(page, "(eng", "eng")
    page.click("#correct > button")
    taken_up(page, "Maria lives in Berlin.\nIt rains.", "rains")
    read = labelled_and_kept(page, "rains")
    assert page.inner_text("#kept").startswith("Kept in this browser: 2 sentences with ")
    first, second = (block.split("\n") for block in read.strip().split("\n\n"))
    assert [line.split("\t")[0] for line in first] == ["Maria", "lives", "in", "Berlin", "."]
    assert second == ["It\tO", "rains\tB-ORG", ".\tO"]
    assert not barriers(page)


def test_a_name_is_labelled_by_keyboard_and_kept_over_a_reload(page: Any) -> None:
    choose(page, "(eng", "eng")
    page.click("#correct > button")
    taken_up(page, "Maria lives in Berlin.\nIt rains.", "rains")
    page.locator("#missed :is(textarea, input)").focus()
    page.keyboard.type("rains")
    page.keyboard.press("Enter")
    page.wait_for_function("/rains\\s*PER/.test(document.querySelector('#names').textContent)")
    assert keeps_sentences(page, 2)
    page.reload()
    page.wait_for_selector("#result .tagged")
    choose(page, "(eng", "eng")
    page.click("#correct > button")
    taken_up(page, "Anna sings.", "sings")
    assert keeps_sentences(page, 3)
    other = page.context.new_page()  # a second tab
    other.goto(page.url)
    other.wait_for_selector("#result .tagged")
    choose(other, "(eng", "eng")
    other.click("#correct > button")
    taken_up(other, "It snows there.", "there")
    taken_up(page, "It hails here.", "here")
    assert keeps_sentences(page, 4)
    assert keeps_sentences(other, 5)
    other.close()
    page.click("#correct-forget")
    page.get_by_text("Nothing is kept.").wait_for()
    assert keeps_sentences(page, 1)


def test_after_a_label_is_taken_away_words_of_a_later_line_are_labelled_rightly(page: Any) -> None:
    choose(page, "(eng", "eng")
    page.click("#correct > button")
    names = taken_up(page, "Angela Merkel visited Berlin.\nIt rains in Warsaw.", "rains")
    crosses = names.get_by_label("Remove label")
    before = crosses.count()
    assert before
    crosses.first.dispatch_event("click")  # it is shown where the mouse is
    page.wait_for_function("many => document.querySelectorAll('#names [aria-label=\"Remove label\"]').length === many", arg=before - 1)
    names.get_by_text("rains", exact=True).wait_for()
    assert "rains\tB-ORG" in labelled_and_kept(page, "rains")


def test_a_link_holds_text_and_language(page: Any) -> None:
    page.locator("#text textarea").fill("Zürich & Genf?")
    page.click("#share")
    page.wait_for_function("location.hash.includes('lang=')")
    page.get_by_text("The link is in the address bar").wait_for()
    page.get_by_text("Copy a link to this").wait_for()  # and it can be copied again
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_function("[...document.querySelectorAll('#result .text')].some(n => n.textContent.includes('Genf'))", timeout=90_000)
    assert other.locator("#text textarea").input_value() == "Zürich & Genf?"
