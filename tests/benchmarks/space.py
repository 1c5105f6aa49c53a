"""Many calls of the Space's `/tag` at once: are all answered rightly, how long do they take, does the server grow?

python -m tests.benchmarks.space [CALLS]
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

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


def load(calls: int, folder: Path) -> Load:
    """`calls` callers at the same moment, three times over; each language's answer must be the one given to a lone caller."""
    for path in space_files():
        shutil.copy(path, folder)
    asked = [list(examples().items())[i % len(examples())] for i in range(calls)]
    with (
        serving(folder, {"CONLIPA_MODEL": "mini"}) as url,
        httpx.Client(
            base_url=f"{url}/gradio_api/call", timeout=300, limits=httpx.Limits(max_connections=calls, max_keepalive_connections=0)
        ) as client,
        ThreadPoolExecutor(calls) as pool,
    ):

        def timed(question: tuple[str, str]) -> tuple[str, float]:
            lang, text = question
            begun = time.perf_counter()
            event = client.post("/tag", json={"data": [text, lang]}).raise_for_status().json()["event_id"]
            return client.get(f"/tag/{event}").raise_for_status().text, time.perf_counter() - begun

        alone = {lang: timed((lang, text))[0] for lang, text in examples().items()}
        assert all(answer.startswith("event: complete") for answer in alone.values())
        resident, wrong, times = [], 0, list[float]()
        begun = time.perf_counter()
        for _ in range(ROUNDS):
            answers = list(pool.map(timed, asked))
            wrong += sum(answer != alone[lang] for (lang, _), (answer, _) in zip(asked, answers, strict=True))
            times += [seconds for _, seconds in answers]
            resident.append(_resident(int((folder / "pid").read_text())))
        seconds = time.perf_counter() - begun
    times.sort()
    return Load(calls, wrong, times[len(times) // 2], times[int(len(times) * 0.95)], seconds, resident[-1], resident[-1] - resident[0])


def _resident(process: int) -> int:
    """Bytes of a process in memory."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(calls: int = 200) -> None:
    with TemporaryDirectory() as folder:
        found = load(calls, Path(folder))
    print(
        f"Space: {found.calls} calls at once, {ROUNDS} times: {found.wrong} wrong, p50 {found.p50:.2f} s, p95 {found.p95:.2f} s, "
        f"{ROUNDS * found.calls / found.seconds:.0f} calls a second, server {found.resident / 1e6:.0f} MB, grown by {found.grown / 1e6:.0f} MB"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
