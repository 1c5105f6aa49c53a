"""A fault at every single request of a publish: whatever breaks, running it again ends with the same Hub.

python -m tests.publish_faults RELEASE HUB_FOLDER [--every-kind] [--stride 4]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

from tests.hub import KINDS, Fault, loopback_hub


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every-kind", action="store_true", help="every kind of fault at every request, not one after the other in turn")
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds of fault (default: all)")
    parser.add_argument("--stride", type=int, default=1, help="only every n-th request (default: each one)")
    arguments = parser.parse_args()
    with loopback_hub(arguments.folder / "hub") as hub:
        os.environ.update(hub.env())  # before the client is imported
        from huggingface_hub.utils import _http as http_client

        from conlipa.errors import ConlipaError
        from conlipa.hub_cards import retries
        from conlipa.hub_cards.publish import publish

        retries.FIRST_PAUSE_S = 0.0
        # The client waits a second before it sends a file again, and there are many to send again here.
        http_client.time = SimpleNamespace(**{**vars(time), "sleep": lambda seconds: None})

        def attempt(tries: int) -> bool:
            retries.TRIES = tries
            with contextlib.redirect_stdout(io.StringIO()):
                try:
                    publish(arguments.release, "someone")
                except ConlipaError:
                    return False
            return True

        def wipe() -> None:
            for path in (arguments.folder / "hub" / "store").iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()

        assert attempt(1)
        clean, requests = hub.state(), len(hub.requests)
        chosen = arguments.kinds.split(",")
        kinds = itertools.cycle(chosen)
        points = [
            (number, kind) for number in range(1, requests + 1, arguments.stride) for kind in (chosen if arguments.every_kind else [next(kinds)])
        ]
        stopped = 0
        for number, kind in points:
            wipe()
            hub.fail = Fault(number, kind)
            stopped += not attempt(1)  # impatient: the fault ends the run, as a killed client would
            hub.fail = None
            assert attempt(1), f"not finished by a second run: request {number}, {kind}"
            assert hub.state() == clean, f"another state after request {number}, {kind}"
            wipe()
            hub.fail = Fault(number, kind)
            assert attempt(5), f"not outlasted with patience: request {number}, {kind}"
            hub.fail = None
            assert hub.state() == clean, f"another state with patience, request {number}, {kind}"
        assert hub.unknown == [], hub.unknown
        print(f"{len(points)} faults at {requests} requests; {stopped} ended the run")
        print("all were finished by a second one and outlasted with retries")


if __name__ == "__main__":
    main()
