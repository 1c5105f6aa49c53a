"""Sections that were made before, with a digest of what they were made from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from conlipa.atomic_files import write_json
from conlipa.dataset_scripts.tables import digest
from conlipa.modeling.data.fingerprint import of_folder
from conlipa.modeling.report.claims import COSINE
from conlipa.modeling.report.claims import KEY as CLAIMS
from conlipa.modeling.report.section import Inputs, Section
from conlipa.modeling.studies.ablation import STUDIES

HERE = Path(__file__).parent


class Kept:
    """Under `work` of the report's folder."""

    def __init__(self, inputs: Inputs) -> None:
        self.work = inputs.out / "work"
        weights = [of_folder(inputs.ner), of_folder(inputs.adapter), inputs.corpus.fingerprint(), digest()]
        code = [path.read_text(encoding="utf-8") for folder, kind in ((HERE, "*.py"), (STUDIES, "*.yaml")) for path in sorted(folder.glob(kind))]
        self.made_from = [*weights, *code, inputs.recipe.as_dict(), inputs.langs, inputs.seeds, inputs.sentences, inputs.baselines]

    def read(self, key: str) -> Section | None:
        """A section, if it is there and was made from the same."""
        path = self.work / "sections" / f"{key}.json"
        if not path.is_file():
            return None
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Section(**kept["section"]) if kept["made_from"] == self._digest(key) else None

    def write(self, section: Section) -> None:
        write_json({"made_from": self._digest(section.key), "section": asdict(section)}, self.work / "sections" / f"{section.key}.json")

    def _digest(self, key: str) -> str:
        cosine = self.work / COSINE
        read = cosine.read_text(encoding="utf-8") if key == CLAIMS and cosine.is_file() else ""
        return hashlib.sha256(json.dumps([*self.made_from, read]).encode()).hexdigest()[:16]
