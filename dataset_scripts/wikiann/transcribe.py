"""A large corpus, parquet in and parquet out, over one process or many workers of Ray Data.

    python -m conlipa.dataset_scripts.wikiann.transcribe IN.parquet|DIR --out DIR --lang tur [--engine auto] [--workers 2]

A column `text` is joined by `ipa` (as `conlipa phonemize` prints it), a column `tokens` by `ipa_tokens` (as WikiANN-IPA has it).
Each input file becomes one output file of the same name, which takes its name once it is whole: the same command again does only
what is missing. More than one worker needs the extra `ray`; with RAY_ADDRESS set, they are those of that cluster.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from conlipa.atomic_files import write_errors
from conlipa.dataset_scripts.g2p.phonemizer import Phonemizer, ipa_string, phonemizer
from conlipa.dataset_scripts.g2p.stamps import own_digest
from conlipa.dataset_scripts.g2p.words import words
from conlipa.dataset_scripts.tables import digest
from conlipa.dataset_scripts.wikiann.parquet_faults import parquet_faults
from conlipa.errors import ConlipaError, UsageError

_BATCH = 4096
_MADE_BY = b"conlipa"
"""Key of the file's metadata that says how it was transcribed."""
_ADDED = {"text": pa.field("ipa", pa.string()), "tokens": pa.field("ipa_tokens", pa.list_(pa.string()))}


def ipa_of_texts(texts: list[str | None], transcribe: Phonemizer) -> list[str | None]:
    """Each text as one IPA string; nothing for nothing."""
    found = [[word.text for word in words(text or "")] for text in texts]
    phonemes = iter(transcribe([word for text in found for word in text]))
    spoken = [ipa_string([next(phonemes) for _ in text]) for text in found]
    return [None if text is None else ipa for text, ipa in zip(texts, spoken, strict=True)]


def ipa_of_tokens(sentences: list[list[str] | None], transcribe: Phonemizer) -> list[list[str] | None]:
    """Each token as one IPA string; nothing for nothing."""
    phonemes = iter(transcribe([token or "" for sentence in sentences for token in sentence or []]))
    return [None if sentence is None else [" ".join(next(phonemes)) for _ in sentence] for sentence in sentences]


_TRANSCRIBED: dict[str, Any] = {"text": ipa_of_texts, "tokens": ipa_of_tokens}


def transcribe_shard(path: Path, out: Path, lang: str, engine: str) -> int:
    """Transcribe one parquet file into another; the number of rows.

    Raises:
        ConlipaError: it cannot be read, has no column to transcribe, or cannot be written.
    """
    transcribe = phonemizer(lang, engine)
    beside = out.with_name(out.name + ".partial")
    with parquet_faults(path):
        shard = parquet.ParquetFile(path)
        schema = _schema(path, shard.schema_arrow, _maker(path, lang, engine))
    with write_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with parquet.ParquetWriter(beside, schema) as writer:
            for batch, columns in _batches(path, shard):
                added = [_TRANSCRIBED[name](values, transcribe) for name, values in columns.items()]
                fields = schema.names[len(batch.schema) :]
                arrays = [pa.array(values, schema.field(name).type) for name, values in zip(fields, added, strict=True)]
                writer.write_batch(pa.RecordBatch.from_arrays([*batch.columns, *arrays], schema=schema))
        os.replace(beside, out)
    return int(shard.metadata.num_rows)


def _batches(path: Path, shard: parquet.ParquetFile) -> Iterator[tuple[pa.RecordBatch, dict[str, list[Any]]]]:
    """The batches of a file, and of each the columns to transcribe."""
    with parquet_faults(path):
        for batch in shard.iter_batches(_BATCH):
            batch.validate(full=True)
            yield batch, {name: batch[name].to_pylist() for name in _ADDED if name in batch.schema.names}


def _schema(path: Path, schema: pa.Schema, maker: list[str]) -> pa.Schema:
    """The output's columns: the input's, then what is transcribed."""
    text, tokens = (schema.field(name).type if name in schema.names else None for name in ("text", "tokens"))
    has = ", ".join(f"{field.name}: {field.type}" for field in schema)
    if (
        (text is None and tokens is None)
        or (text and not _is_string(text))
        or (tokens and not (pa.types.is_list(tokens) and _is_string(tokens.value_type)))
    ):
        raise ConlipaError(f"{path}: expected a column 'text' of strings or 'tokens' of lists of strings (it has {has})")
    for name, field in _ADDED.items():
        if name in schema.names:
            if field.name in schema.names:
                raise ConlipaError(f"{path}: has a column '{field.name}' already")
            schema = schema.append(field)
    return schema.with_metadata({**(schema.metadata or {}), _MADE_BY: json.dumps(maker).encode()})


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _shards(source: Path, out: Path) -> list[tuple[Path, Path]]:
    """Input and output file of each shard, in the order of their names."""
    if source.is_file():
        found = [(source, out / source.name)]
    else:
        beneath = out.resolve() if source.resolve() in out.resolve().parents else None  # what an earlier call wrote is no input
        inputs = (path for path in sorted(source.rglob("*.parquet")) if beneath not in path.resolve().parents)
        found = [(path, out / path.relative_to(source)) for path in inputs]
    if not found:
        raise ConlipaError(f"{source}: no such file, or a folder without any *.parquet")
    if any(path.resolve() == target.resolve() for path, target in found):
        raise UsageError(f"--out {out}: is where the input lies; name another folder")
    return found


def _is_done(path: Path, out: Path, lang: str, engine: str) -> bool:
    """Whether a whole output of that input lies there.

    Raises:
        ConlipaError: it was made with another language or engine, of another input or by another kit.
    """
    if not out.is_file():
        return False
    try:
        made_by = json.loads((parquet.read_schema(out).metadata or {}).get(_MADE_BY, b"[]"))
    except (pa.ArrowInvalid, ValueError):
        made_by = []
    with parquet_faults(path):
        expected = _maker(path, lang, engine)
    if made_by == expected:
        return True
    if isinstance(made_by, list) and made_by[:2] == expected[:2] and made_by[4:] == expected[4:]:
        why = "by another version of the kit or of an engine" if made_by[2:3] != expected[2:3] else f"of another {path.name}"
        raise ConlipaError(f"{out}: was made {why}; name another --out")
    own = f" as its {'table' if engine.startswith('map:') else 'model'} is now" if own_digest(engine) else ""
    raise ConlipaError(f"{out}: was not made by this command with --lang {lang} --engine {engine}{own}; name another --out")


def _maker(path: Path, lang: str, engine: str) -> list[str]:
    """What decides of an output: also the kit with its engines, the input, and the user's own table or model."""
    with path.open("rb") as content:
        of_input = hashlib.file_digest(content, "sha256").hexdigest()
    return [lang, engine, digest(), of_input, *filter(None, [own_digest(engine)])]


def _outcome(item: dict[str, str]) -> dict[str, Any]:
    """`transcribe_shard` for Ray: an error as text, which crosses processes as one line."""
    try:
        return {**item, "rows": transcribe_shard(Path(item["path"]), Path(item["out"]), item["lang"], item["engine"]), "error": ""}
    except ConlipaError as error:
        return {**item, "rows": 0, "error": str(error)}


def _outcomes(items: list[dict[str, str]], workers: int) -> Iterator[dict[str, Any]]:
    """Each shard as it is finished; by Ray Data where there are workers to share them."""
    if workers > 1:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError:
            print("ray is not installed (pip install 'conlipa[ray]'): one process does it all", file=sys.stderr)
        else:
            here = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": workers, "include_dashboard": False}
            ray.init(log_to_driver=False, logging_level="error", **here)
            logging.getLogger("ray.data").setLevel(logging.ERROR)
            ray.data.DataContext.get_current().enable_progress_bars = False
            shards = ray.data.from_items(items, override_num_blocks=len(items))
            yield from shards.map(_outcome, compute=ray.data.TaskPoolStrategy(size=workers)).iter_rows()
            return
    yield from map(_outcome, items)


def transcribe_corpus(source: Path, out: Path, lang: str, engine: str = "auto", workers: int = 1) -> dict[str, int]:
    """All shards of a file or folder; the counts of shards, of those found done, and of rows transcribed now.

    Raises:
        ConlipaError: a shard cannot be transcribed (the others are, and stay).
    """
    phonemizer(lang, engine)  # what is wrong with language or engine is said before any worker starts
    shards = _shards(source, out)
    todo = [(path, target) for path, target in shards if not _is_done(path, target, lang, engine)]
    items = [{"path": str(path), "out": str(target), "lang": lang, "engine": engine} for path, target in todo]
    rows, errors = 0, []
    for outcome in _outcomes(items, workers) if items else ():
        rows += outcome["rows"]
        errors += [outcome["error"]] if outcome["error"] else []
        print(outcome["error"] or f"{outcome['out']}: {outcome['rows']} rows", file=sys.stderr)
    if errors:
        raise ConlipaError(f"{len(errors)} of {len(shards)} shards failed; first: {errors[0]}")
    return {"shards": len(shards), "done_before": len(shards) - len(todo), "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="IN.parquet|DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--lang", required=True, metavar="ISO")
    parser.add_argument("--engine", default="auto", metavar="NAME", help="as `conlipa phonemize --engine`")
    parser.add_argument("--workers", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    try:
        print(json.dumps(transcribe_corpus(arguments.source, arguments.out, arguments.lang, arguments.engine, arguments.workers)))
    except ConlipaError as error:
        print(f"transcribe: error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
