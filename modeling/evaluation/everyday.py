"""A tagger on the everyday sentences: names found and names right, exact in span and label, by script.

python -m conlipa.modeling.evaluation.everyday [--model DIR|REPO] [--adapter DIR|REPO] [--json OUT]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from conlipa.atomic_files import write_json
from conlipa.dataset_scripts.everyday import Everyday, everyday
from conlipa.dataset_scripts.g2p.words import words
from conlipa.dataset_scripts.languages import language
from conlipa.errors import exit_on_error
from conlipa.modeling.evaluation.markdown import markdown_table
from conlipa.modeling.inference.entities import Entity
from conlipa.modeling.inference.packaged import MINI, located
from conlipa.modeling.inference.tagger import Tagger
from conlipa.modeling.records import trained_on

CASED = ("Latn", "Cyrl", "Grek", "Armn")
"""Scripts that tell a name by its capital."""


Tags = Callable[..., Iterable[Entity]]
"""A `Tagger`, or what is called like one."""


def measured(tagger: Tags, alone: Tags, sources: Iterable[str] = ()) -> dict[str, Any]:
    """Counts and scores (percent) of groups of sentences: of each script, cased and uncased, of languages trained on and not, of each kind, all.

    Args:
        alone: the tagger without the names of the CLDR; its F1 is `f1_alone`.
        sources: languages that it was trained on.
    """
    counted, less = (_counts(each, set(sources)) for each in (tagger, alone))
    return {group: {**_scores(counted[group]), "f1_alone": _scores(less[group])["f1"]} for group in sorted(counted, key=_place)}


def _counts(tagger: Tags, sources: set[str]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for sentence in everyday():
        found = tagger(sentence.text, lang=sentence.language)
        for group in groups(sentence, sources):
            counts.setdefault(group, Counter()).update(compared(sentence, found))
    return counts


_ORDER = ("all", "cased scripts", "uncased scripts", "script", "languages", "kind")
"""Of the groups in a table, the widest first."""


def _place(group: str) -> tuple[int, str]:
    return next(place for place, beginning in enumerate(_ORDER) if group.startswith(beginning)), group


def groups(sentence: Everyday, sources: set[str]) -> list[str]:
    """The groups that a sentence belongs to."""
    script = language(sentence.language).script
    trained = "languages trained on" if sentence.language in sources else "languages not trained on"
    return [f"script {script}", "cased scripts" if script in CASED else "uncased scripts", trained, f"kind {sentence.kind}", "all"]


def compared(sentence: Everyday, found: Iterable[Entity]) -> Counter[str]:
    """Names marked, found, and right in span and label. A name counts with the whole words that it is in: a tagger labels words (`f'Malta`)."""
    marked, said = set(whole_words(sentence)), {(entity.start, entity.end, entity.label) for entity in found}
    return Counter(sentences=1, names=len(marked), found=len(said), right=len(said & marked))


def whole_words(sentence: Everyday) -> list[tuple[int, int, str]]:
    """The spans of the names of a sentence, widened to the words that they touch."""
    there = words(sentence.text)
    widened = []
    for start, end, label in sentence.spans:
        touched = [word for word in there if word.start < end and start < word.end]
        widened.append((min(start, touched[0].start), max(end, touched[-1].end), label))
    return widened


def _scores(count: Counter[str]) -> dict[str, float]:
    recall, precision = (100 * count["right"] / max(1, count[whole]) for whole in ("names", "found"))
    f1 = 2 * recall * precision / max(1e-9, recall + precision)
    return {
        "sentences": count["sentences"],
        "names": count["names"],
        "recall": round(recall, 1),
        "precision": round(precision, 1),
        "f1": round(f1, 1),
    }


def table(scores: dict[str, Any]) -> str:
    """Markdown."""
    head = ["sentences of", "sentences", "names", "recall", "precision", "F1", "F1 of the model alone"]
    return markdown_table(head, [[group, *(f"{value:g}" for value in row.values())] for group, row in scores.items()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=MINI, metavar="DIR|REPO", help="model folder or Hub repo (default: mini, which comes with the package)")
    parser.add_argument("--adapter", metavar="DIR|REPO", help="LoRA adapter on top (mini brings its own)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the scores here")
    arguments = parser.parse_args()
    with exit_on_error():
        model, adapter = located(arguments.model, arguments.adapter)
        tagger = Tagger.from_pretrained(model, adapter)
        scores = measured(tagger, Tagger(tagger.backend, known_names=False), trained_on(model, adapter))
        print(table(scores))
        if arguments.json:
            write_json(scores, arguments.json)


if __name__ == "__main__":
    main()
