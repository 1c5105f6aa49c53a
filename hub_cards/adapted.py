"""`conlipa adapt`: a tagger fitted to a few sentences, as a PEFT repo with its card."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conlipa.atomic_files import write_text
from conlipa.hub import is_repo
from conlipa.hub_cards.cards import adapted_card
from conlipa.modeling.adaptation.adapt import adapt
from conlipa.modeling.inference.loading import CALIBRATION_FILE
from conlipa.modeling.inference.packaged import PACKAGED, located
from conlipa.modeling.inference.saving import license_of


def adapted_repo(rows: Sequence[dict[str, Any]], lang: str, out: Path, model: str, adapter: str | None, engine: str, given: str = "") -> None:
    """Write the repo, and print what the fitting brings.

    Args:
        rows, lang: as `read_tagged_file` gives them; `engine` transcribed them.
        given: the options that said how the file is to be read, for the card.

    Raises:
        ConlipaError: the model or `out` is not what it should be.
    """
    tagger, on_top = located(model, adapter)
    record = adapt(tagger, on_top, rows, lang, out, base_name=f"conlipa-{model}-ner" if model in PACKAGED else model)
    calibration = Path(on_top or tagger) / CALIBRATION_FILE  # a few sentences cannot give a better one
    if calibration.is_file() and not (out / CALIBRATION_FILE).exists():
        write_text(calibration.read_text(encoding="utf-8"), out / CALIBRATION_FILE)
    published = "" if engine == "auto" else f" --engine {'map:FILE.csv' if engine.startswith('map:') else engine}"
    on_it = f"--adapter {adapter if is_repo(adapter) else 'DIR'}" if adapter else ""
    options = f"--lang {lang}{published}", " ".join(filter(None, (given, on_it)))
    base = model if model in PACKAGED or is_repo(model) else Path(model).resolve().name
    if not (out / "README.md").exists():  # somebody may have written in it since
        write_text(adapted_card(record, out.name, base, *options, license=license_of(Path(tagger))), out / "README.md")
    change = f"{record['after'] - record['before']:+.2f}, 95% interval {record['low']:+.2f} to {record['high']:+.2f}"
    print(f"entity F1 of sentences left out in turn: {record['before']:.2f} before, {record['after']:.2f} after ({change})")
    use = ["conlipa", "tag", "--lang", lang, *([] if engine == "auto" else ["--engine", engine]), "--model", model, "--adapter", str(out)]
    print(f"{out}: use it with {shlex.join(use)}", file=sys.stderr)
