"""Many callers of the Space at once, of `/tag` and with documents: are all answered rightly, how long do they take, does the server grow?

python -m tests.benchmarks.space [CALLS] [UPLOADS] [VISITORS]
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from conlipa.space import space_files
from conlipa.space.choices import examples
from tests.serving import serving

ROUNDS = 3


@dataclass(frozen=True)
class Load:
    """Seconds and bytes; `grown` is what the server's memory gained from the first round of calls to the last."""

    calls: int
    wrong: int
    p50: float
    p95: float
    seconds: float
    resident: int
    grown: int


def load(calls: int, folder: Path, langs: int | None = None) -> Load:
    """`calls` callers at the same moment, three times over; each language's answer must be the one given to a lone caller.

    `langs`: so many of the languages (None: all).
    """
    texts = dict(list(examples().items())[:langs])

    def tagged(client: httpx.Client, lang: str) -> str:
        event = client.post("/call/tag", json={"data": [texts[lang], lang]}).raise_for_status().json()["event_id"]
        answer = client.get(f"/call/tag/{event}").raise_for_status().text
        assert answer.startswith("event: complete"), answer
        return answer

    return _measured(calls, list(texts), tagged, folder)


def uploads(calls: int, folder: Path) -> Load:
    """The same with documents of a megabyte: uploaded and tagged as the page does it, 100 texts in a table with a wide column beside."""
    texts = dict(list(examples().items())[:4])
    tables = {lang: _table(text) for lang, text in texts.items()}
    return _measured(calls, list(texts), lambda client, lang: _document(client, lang, tables[lang]), folder)


def visitors(number: int, folder: Path) -> list[int]:
    """Bytes of the server after each quarter of so many visitors, eight at a time, each of whom tags a document of two sentences and goes."""
    langs, residents = list(examples()), []
    tables = {lang: f"id,body\n1,{json.dumps(text, ensure_ascii=False)}\n2,x\n".encode() for lang, text in examples().items()}
    with _served(folder, 8) as client, ThreadPoolExecutor(8) as pool:
        for start in range(0, number, -(-number // 4)):
            asked = [langs[i % len(langs)] for i in range(start, min(number, start - (-number // 4)))]
            list(pool.map(lambda lang: _document(client, lang, tables[lang]), asked))
            residents.append(_resident(int((folder / "pid").read_text())))
    return residents


def _document(client: httpx.Client, lang: str, table: bytes) -> str:
    """What a visitor's page shows of a table with a column `body`."""
    (path,) = client.post("/upload", files={"files": ("letters.csv", table, "text/csv")}).raise_for_status().json()
    file = {"path": path, "orig_name": "letters.csv", "meta": {"_type": "gradio.FileData"}}
    session = uuid.uuid4().hex
    _happens(client, session, "upload", [file])
    return str(_happens(client, session, "click", [file, "body", "", lang])[0])


def _happens(client: httpx.Client, session: str, trigger: str, data: list[Any]) -> list[Any]:
    """What an event of the page's part for documents answers: that of this name with so many values."""
    config = client.get("/../config").raise_for_status().json()
    events = [each for each in config["dependencies"] if each["targets"] and each["targets"][0][1] == trigger and len(each["inputs"]) == len(data)]
    event = next(each["id"] for each in events if len(each["outputs"]) in (2, 4))
    client.post("/queue/join", json={"data": data, "fn_index": event, "session_hash": session}).raise_for_status()
    with client.stream("GET", "/queue/data", params={"session_hash": session}) as messages:
        said = (json.loads(line.removeprefix("data:")) for line in messages.iter_lines() if line.startswith("data:"))
        done = next(message for message in said if message["msg"] == "process_completed")
    assert done["success"], done
    return list(done["output"]["data"])


def _table(text: str) -> bytes:
    """A CSV file of a megabyte with 100 texts."""
    rows = [f"{number},{'x' * (9_900 - len(text.encode()))},{json.dumps(text, ensure_ascii=False)}\n" for number in range(100)]
    return "".join(["id,wide,body\n", *rows]).encode()


@contextmanager
def _served(folder: Path, calls: int) -> Iterator[httpx.Client]:
    """A client of the Space, for so many calls at once."""
    for path in space_files():
        shutil.copy(path, folder)
    limits = httpx.Limits(max_connections=calls, max_keepalive_connections=0)
    with serving(folder, {"CONLIPA_MODEL": "mini"}) as url, httpx.Client(base_url=f"{url}/gradio_api", timeout=900, limits=limits) as client:
        yield client


def _measured(calls: int, langs: list[str], ask: Callable[[httpx.Client, str], str], folder: Path) -> Load:
    asked = [langs[i % len(langs)] for i in range(calls)]
    with _served(folder, calls) as client, ThreadPoolExecutor(calls) as pool:

        def timed(lang: str) -> tuple[str, float]:
            begun = time.perf_counter()
            return ask(client, lang), time.perf_counter() - begun

        alone = {lang: timed(lang)[0] for lang in langs}
        resident, wrong, times = [], 0, list[float]()
        begun = time.perf_counter()
        for _ in range(ROUNDS):
            answers = list(pool.map(timed, asked))
            wrong += sum(answer != alone[lang] for lang, (answer, _) in zip(asked, answers, strict=True))
            times += [seconds for _, seconds in answers]
            resident.append(_resident(int((folder / "pid").read_text())))
        seconds = time.perf_counter() - begun
    times.sort()
    return Load(calls, wrong, times[len(times) // 2], times[int(len(times) * 0.95)], seconds, resident[-1], resident[-1] - resident[0])


def _resident(process: int) -> int:
    """Bytes of a process in memory."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(calls: int = 200, documents: int = 20, guests: int = 0) -> None:
    if guests:
        with TemporaryDirectory() as folder:
            residents = ", ".join(f"{resident / 1e6:.0f}" for resident in visitors(guests, Path(folder)))
        print(f"Space: {guests} visitors with a document each; the server after each quarter of them, MB: {residents}", flush=True)
    for what, measure, number in (("calls", load, calls), ("uploads of 1 MB", uploads, documents)):
        with TemporaryDirectory() as folder:
            found = measure(number, Path(folder))
        print(
            f"Space: {found.calls} {what} at once, {ROUNDS} times: {found.wrong} wrong, p50 {found.p50:.2f} s, p95 {found.p95:.2f} s, "
            f"{ROUNDS * found.calls / found.seconds:.1f} a second, server {found.resident / 1e6:.0f} MB, grown by {found.grown / 1e6:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
