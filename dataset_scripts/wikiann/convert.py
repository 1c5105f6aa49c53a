"""A tagged corpus of another form as a corpus folder, which `--corpus` takes.

    python -m conlipa.dataset_scripts.wikiann.convert train.conll dev.conll --lang deu --columns 1,4 --map MISC=O --out DIR
    python -m conlipa.dataset_scripts.wikiann.convert pt_bosque-ud-*.iob2 --lang por --map OTH=O --out DIR --set 2
    python -m conlipa.dataset_scripts.wikiann.convert train.jsonl --lang swa --map GPE=LOC --map DATE=O --out DIR

It writes DIR/ISO/{train,dev,test}.tsv (`--set 2`: DIR/ISO_2/…), `token<TAB>tag` in IOB2. A file's split is that which its name holds (train, dev or
valid, test), or `--split`; files of one split are joined. Forms, by the end of the name:

- `.iob2` of Universal NER: `#` comments, then number, token, tag and more;
- `.json`, `.jsonl`: an object a line (or one list of them) with `tokens` (or `words`) and `ner_tags` (or `tags`, `labels`), as text, or as
  numbers with `--labels`;
- all others, CoNLL: a token a line, columns between tabs or spaces, a blank line after each sentence. The token is the first column and the tag
  the last, unless `--columns` says otherwise.

Tags may be IOB1, IOB2, BILOU, BIOES or bare types. An I- that continues nothing begins an entity. A type other than PER, ORG and LOC needs a `--map`.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from conlipa.atomic_files import write_text
from conlipa.dataset_scripts.languages import language
from conlipa.dataset_scripts.wikiann.foreign import Columns, read_foreign
from conlipa.dataset_scripts.wikiann.reading import LABELS, Sentence
from conlipa.dataset_scripts.wikiann.tags import begun, iob2, orphans, split_tag
from conlipa.dataset_scripts.wikiann.wikiann import SPLITS
from conlipa.errors import ConlipaError, UsageError, exit_on_error, nearest

TYPES = sorted({label[2:] for label in LABELS} - {""})
_SPLIT_NAMES = {"train": "train", "dev": "validation", "valid": "validation", "validation": "validation", "val": "validation", "test": "test"}


def convert(sentences: Iterable[Sentence], mapping: Mapping[str, str]) -> list[Sentence]:
    """Sentences with the kit's labels in IOB2; blank tokens are left out.

    Args:
        mapping: what a type becomes: `PER`, `ORG`, `LOC`, or `O`.

    Raises:
        ConlipaError: types that neither the kit nor the mapping has; all are named.
    """
    known = {kind: kind for kind in TYPES} | dict(mapping)
    unknown, made = Counter[str](), []
    for sentence in sentences:
        pairs = [(" ".join(token.split()), tag) for token, tag in zip(sentence.tokens, iob2(sentence.tags), strict=True) if token.strip()]
        kinds = [split_tag(tag)[1] for _, tag in pairs]
        unknown.update(kind for kind in kinds if kind and kind not in known)
        mapped = [known.get(kind, "O") if kind else "O" for kind in kinds]
        tags = [kind if kind == "O" else f"{tag[0]}-{kind}" for kind, (_, tag) in zip(mapped, pairs, strict=True)]
        if pairs:
            made.append(Sentence([token for token, _ in pairs], begun(tags)))
    if unknown:
        options = " ".join(f"--map {kind}=O" for kind in sorted(unknown))
        counts = ", ".join(f"{kind} ({many} tokens)" for kind, many in unknown.most_common())
        raise ConlipaError(f"types that are none of {', '.join(TYPES)}: {counts}; say what each becomes, as in {options}")
    return made


def write(sentences: Iterable[Sentence], path: Path) -> None:
    """The file of a corpus folder."""
    text = "\n".join("".join(f"{token}\t{tag}\n" for token, tag in zip(s.tokens, s.tags, strict=True)) for s in sentences)
    write_text(text + "\n", path)


def split_of(path: Path) -> str:
    """The split that a file's name holds.

    Raises:
        UsageError: none, or several.
    """
    found = {_SPLIT_NAMES[word] for word in re.split(r"[^a-z]+", path.name.lower()) if word in _SPLIT_NAMES}
    if len(found) != 1:
        raise UsageError(f"{path}: its name does not tell the split (train, dev, test); name it with --split")
    return found.pop()


def run(arguments: argparse.Namespace) -> dict[str, dict[str, int]]:
    """What the command line asks for; the counts of sentences and entities of each split.

    Raises:
        UsageError: options that do not fit.
        ConlipaError: a file that cannot be read, unknown types, or a set that is there already.
    """
    mapping = dict(type_pair(text) for text in arguments.map)
    columns = Columns.parse(arguments.columns) if arguments.columns else None
    labels = arguments.labels.split(",") if arguments.labels else None
    folder = arguments.out / (language(arguments.lang).iso + (f"_{arguments.set}" if arguments.set > 1 else ""))
    found: dict[str, list[Sentence]] = {}
    repaired = Counter[str]()
    for path in arguments.files:
        sentences = read_foreign(path, columns, labels)
        split = arguments.split or split_of(path)
        repaired[split] += sum(len(orphans(sentence.tags)) for sentence in sentences)
        found.setdefault(split, []).extend(sentences)
    made = {split: convert(sentences, mapping) for split, sentences in found.items()}
    for split in made:
        if (folder / f"{SPLITS[split]}.tsv").exists():
            raise ConlipaError(f"{folder / SPLITS[split]}.tsv: is there already; name another set with --set {arguments.set + 1}")
    for split, sentences in made.items():
        write(sentences, folder / f"{SPLITS[split]}.tsv")
    return {split: _counts(sentences, repaired[split]) for split, sentences in made.items()}


def _counts(sentences: list[Sentence], repaired: int) -> dict[str, int]:
    first = Counter(tag[2:] for sentence in sentences for tag in sentence.tags if tag.startswith("B-"))
    return {"sentences": len(sentences), **{kind: first[kind] for kind in TYPES}, "begun_by_I": repaired}


def type_pair(text: str) -> tuple[str, str]:
    """Of `TYPE=TYPE`.

    Raises:
        UsageError: it is none, or the second is no type of the kit.
    """
    kind, equals, to = text.partition("=")
    if not equals or to not in (*TYPES, "O"):
        raise UsageError(f"--map {text}: expected TYPE=TYPE, the second one of {', '.join(TYPES)}, O{nearest(to, TYPES)}")
    return kind, to


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--lang", required=True, metavar="ISO")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a corpus folder, new or not")
    parser.add_argument("--set", type=int, default=1, metavar="N", help="which of several sets of the language (default: 1)")
    parser.add_argument("--split", choices=list(SPLITS), help="of all files (default: as their names say)")
    parser.add_argument("--columns", metavar="TOKEN,TAG", help="columns of token and tag, counted from 1 (from the last: --columns=-2,-1)")
    parser.add_argument("--map", action="append", default=[], metavar="TYPE=TYPE", help="what a type becomes: PER, ORG, LOC or O; once for each type")
    parser.add_argument("--labels", metavar="O,B-PER,…", help="names of the numbers that a JSON file has for tags")
    with exit_on_error():
        print(json.dumps(run(parser.parse_args())))


if __name__ == "__main__":
    main()
