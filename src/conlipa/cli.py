"""The command line."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from conlipa import __version__
from conlipa.dataset_scripts.wikiann.places import corpus_option
from conlipa.errors import ConlipaError, UsageError
from conlipa.text_lines import lines


def _phonemize(arguments: argparse.Namespace) -> None:
    from conlipa.dataset_scripts.g2p.phonemizer import ipa_string, phonemizer
    from conlipa.modeling.inference.windows import phonemes_of

    transcribe = phonemizer(arguments.lang, arguments.engine)
    for line in lines(arguments.files):
        ipa = ipa_string(phonemes_of(line, transcribe, arguments.case_marks)) if line.strip() else ""
        print(json.dumps({"text": line, "ipa": ipa}, ensure_ascii=False) if arguments.json else ipa)


def _tag(arguments: argparse.Namespace) -> None:
    from conlipa.modeling.inference.entity_formats import LINE_FORMATS, json_line, write_brat
    from conlipa.modeling.inference.lines import TaggedLine, tagged_lines
    from conlipa.modeling.inference.tagger import BATCH_SIZE, Tagger

    if (arguments.format == "brat") != bool(arguments.out):
        raise UsageError("--format brat writes into the folder --out DIR; the other formats write to standard output, without --out")
    which = arguments.model, arguments.adapter, arguments.lang, arguments.engine, arguments.backend, arguments.revision
    tagger = Tagger.from_pretrained(*which, known_names=arguments.known_names)
    typed = not arguments.files and sys.stdin is not None and sys.stdin.isatty()  # a person at the keyboard gets each answer at once
    untold: list[str] = []

    def tagged(files: list[str]) -> Iterator[TaggedLine]:
        for line in tagged_lines(tagger, lines(files), 1 if typed else BATCH_SIZE):
            if line.error:
                untold.append(line.error)
                if arguments.format != "json":  # whose line has the error in itself
                    print(f"conlipa: not tagged: {line.error}", file=sys.stderr)
            yield line

    if arguments.out:
        names = arguments.files or ["-"]
        for name in names:  # not after all files before it were tagged
            if name != "-" and not Path(name).exists():
                raise ConlipaError(f"{name}: no such file")
        write_brat(Path(arguments.out), ((Path(name).stem if name != "-" else "stdin", (line[:2] for line in tagged([name]))) for name in names))
    else:
        for line in tagged(arguments.files):
            print(json_line(*line) if arguments.format == "json" else LINE_FORMATS[arguments.format](line.text, line.entities), flush=typed)
    if untold:
        raise ConlipaError(f"{len(untold)} of the lines could not be tagged; the first: {untold[0]}")


def _export(arguments: argparse.Namespace) -> None:
    from conlipa.modeling.inference.export import export
    from conlipa.modeling.inference.packaged import located

    export(*located(arguments.model, arguments.adapter, arguments.revision), Path(arguments.out), arguments.int8)


def _evaluate(arguments: argparse.Namespace) -> None:
    from conlipa.atomic_files import write_json
    from conlipa.dataset_scripts.languages import listed
    from conlipa.modeling.data.corpus import Corpus
    from conlipa.modeling.evaluation.evaluation import evaluate_kinds, tables
    from conlipa.modeling.evaluation.prediction_file import scored
    from conlipa.modeling.evaluation.prediction_file import table as table_of_files
    from conlipa.modeling.inference.packaged import MINI, located

    if arguments.predictions:
        given = {"--adapter": arguments.adapter, "--revision": arguments.revision, "--no-case-marks": not arguments.case_marks}
        given |= {"--known-names": arguments.known_names, "--model": arguments.model != MINI}
        if ignored := [name for name, value in given.items() if value]:
            raise UsageError(f"--predictions scores a file and no model; leave out {', '.join(ignored)}")
    corpus = Corpus(arguments.corpus, arguments.strict)
    langs = listed(arguments.langs or "")
    if arguments.predictions:
        result = scored(Path(arguments.predictions), corpus, langs, arguments.split)
    else:
        where = located(arguments.model, arguments.adapter, arguments.revision)
        result = evaluate_kinds(*where, corpus, langs, arguments.split, arguments.case_marks, arguments.known_names)
    print(table_of_files(result) if arguments.predictions else tables(result))
    if arguments.json:
        write_json(result, Path(arguments.json))


def _adapt(arguments: argparse.Namespace) -> None:
    from conlipa.dataset_scripts.wikiann.convert import type_pair
    from conlipa.dataset_scripts.wikiann.foreign import Columns
    from conlipa.hub_cards.adapted import adapted_repo
    from conlipa.modeling.adaptation.tagged_file import read_tagged_file

    mapping = dict(type_pair(text) for text in arguments.map)
    columns = Columns.parse(arguments.columns) if arguments.columns else None
    labels = arguments.labels.split(",") if arguments.labels else None
    lang, rows = read_tagged_file(Path(arguments.corpus), arguments.lang, arguments.engine, mapping, columns, labels)
    options = [("--columns", arguments.columns), ("--labels", arguments.labels), *(("--map", pair) for pair in arguments.map)]
    pairs = ([f"{name}={value}"] if value.startswith("-") else [name, value] for name, value in options if value)
    given = shlex.join(word for pair in pairs for word in pair)
    adapted_repo(rows, lang, Path(arguments.out), arguments.model, arguments.adapter, arguments.engine, given)


def _release(arguments: argparse.Namespace) -> None:
    from conlipa.hub_cards.release import release
    from conlipa.modeling.recipe_file import recipe_of

    stage_one = Path(arguments.ner) if arguments.ner else None
    release(Path(arguments.out), recipe_of(arguments), arguments.corpus, arguments.strict, stage_one)


def _publish(arguments: argparse.Namespace) -> None:
    from conlipa.hub_cards.publish import publish

    publish(Path(arguments.dir), arguments.namespace, private=arguments.private, dry_run=arguments.dry_run, force=arguments.force)


def _demo(arguments: argparse.Namespace) -> None:
    from conlipa.space.app import launch

    if arguments.model:  # an adapter of the environment is one of the model that stands there
        os.environ.pop("CONLIPA_ADAPTER", None)
    launch(arguments.model, arguments.adapter, arguments.port)


def _languages(arguments: argparse.Namespace) -> None:
    from conlipa.dataset_scripts.languages import languages

    for row in languages().values():
        print(
            json.dumps(row.__dict__, ensure_ascii=False)
            if arguments.json
            else f"{row.iso}  {row.name:22s} {row.script}  {row.family:20s} {' '.join(row.engines)}"
        )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:6]) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is no port (1 to 65535)")
    return int(text)


def _parser() -> argparse.ArgumentParser:  # long: one command after the other, as `--help` lists them
    parser = argparse.ArgumentParser(prog="conlipa", description="Zero-shot named entity recognition on phonemes.")
    parser.add_argument("--version", action="version", version=f"conlipa {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        return made

    def model_options(made: argparse.ArgumentParser, revision: bool = True, default: str | None = "mini") -> None:
        without = f"default: {default or 'CONLIPA_MODEL with CONLIPA_ADAPTER, or mini'}"
        made.add_argument("--model", default=default, metavar="DIR|REPO", help=f"model folder or Hub repo; mini and mini-en are packaged ({without})")
        made.add_argument("--adapter", metavar="DIR|REPO", help="LoRA adapter on top (mini brings its own)")
        if revision:
            made.add_argument("--revision", metavar="REV", help="branch, tag or commit of the Hub repos (default: main)")

    def text_options(made: argparse.ArgumentParser, guessed: str = "") -> None:
        known = f"language of the text, ISO 639-3; `conlipa languages` lists them{guessed}"
        made.add_argument("--lang", required=not guessed, metavar="ISO", help=known)
        made.add_argument("--engine", default="auto", metavar="NAME", help="auto, epitran, espeak, a full name such as espeak:tr, or map:FILE.csv")
        made.add_argument("files", nargs="*", help="text files; standard input where none is named")

    phonemize = command("phonemize", _phonemize, "One text line in, one IPA line out: phonemes separated by spaces, words by ' ▁ '.")
    text_options(phonemize)
    phonemize.add_argument("--case-marks", action="store_true", help="a mark ^ before the first phoneme of a capitalised word, as `mini` reads it")
    phonemize.add_argument("--json", action="store_true", help="JSON Lines")
    tag = command("tag", _tag, "One text line in, one JSON line with its entities out; other forms by --format.")
    text_options(tag, " (default: that of each line's script, where only one language is written in it)")
    model_options(tag)
    tag.add_argument(
        "--format",
        default="json",
        choices=["json", "conll", "doccano", "brat"],
        help="json (the default) and doccano: a JSON line for each line; conll: token<TAB>tag, an empty line after each line; "
        "brat: NAME.txt and NAME.ann of each file in the folder --out",
    )
    tag.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    tag.add_argument("--out", metavar="DIR", help="a new folder, for --format brat")
    tag.add_argument(
        "--backend",
        default="auto",
        choices=["auto", "torch", "onnx"],
        help="auto: onnxruntime where the model has a model.onnx of its own weights beside them, torch otherwise",
    )
    tag.add_argument("--no-known-names", action="store_false", dest="known_names", help="the model alone, without the names of the Unicode CLDR")
    onnx = command("export", _export, "Write a model as one ONNX file, with its adapter merged and its tokenizer inside.")
    model_options(onnx)
    onnx.add_argument("--out", default="model.onnx", metavar="FILE", help="where (default: model.onnx)")
    onnx.add_argument("--int8", action="store_true", help="weights in eight bits: a quarter of the size, twice as fast, nearly the same answers")
    score = command("evaluate", _evaluate, "Both scores of a model on each language.")
    model_options(score)
    score.add_argument(
        "--predictions",
        metavar="FILE",
        help="score this file and no model: token<TAB>label (or labels alone) of the split's sentences in order, an empty line after each; "
        "for several languages a folder with an ISO.tsv of each",
    )
    corpus_option(score)
    score.add_argument("--langs", metavar="sin,som", help="ISO 639-3 codes (default: all that the corpus has)")
    score.add_argument("--split", default="validation", choices=["train", "validation", "test"], help="which sentences (default: validation)")
    score.add_argument("--no-case-marks", action="store_false", dest="case_marks", help="read the sentences as if they had no capitals")
    score.add_argument("--known-names", action="store_true", help="with the names that the Unicode CLDR has in each language, as `conlipa tag`")
    score.add_argument("--json", metavar="OUT", help="write the scores here as JSON")
    score.add_argument("--strict", action="store_true", help="refuse I- tags that continue no entity")
    few = command("adapt", _adapt, "Fit a model to a few tagged sentences of your own; resumable. Says by cross-validation what that brings.")
    few.add_argument("--corpus", required=True, metavar="FILE", help="tagged sentences: token<TAB>tag with an empty line after each, .iob2 or .jsonl")
    few.add_argument("--lang", metavar="ISO", help="their language, ISO 639-3 (default: derived from the script, where unambiguous)")
    few.add_argument("--engine", default="auto", metavar="NAME", help="as for `conlipa phonemize`")
    few.add_argument("--out", required=True, metavar="DIR", help="a new folder: the adapter as a PEFT repo, with its card")
    few.add_argument("--columns", metavar="TOKEN,TAG", help="columns of token and tag, counted from 1 (default: the first and the last)")
    few.add_argument("--labels", metavar="O,B-PER,…", help="names of the numbers that a JSON file has for tags")
    few.add_argument("--map", action="append", default=[], metavar="TYPE=TYPE", help="what a type becomes: PER, ORG, LOC or O; once for each type")
    model_options(few, revision=False)
    whole = command("release", _release, "The end-to-end pipeline, resumable: datasets, both training stages, evaluation, cards, Space.")
    whole.add_argument("--out", default="release", metavar="DIR", help="folder of the release (default: release)")
    whole.add_argument("--profile", default="mini", help="recipe: mini, mini-en, paper, or a YAML file (default: mini)")
    setting = "change a setting of the recipe, such as ner.learning_rate=1e-3; repeatable"
    whole.add_argument("--set", action="append", default=[], dest="settings", metavar="SECTION.KEY=VALUE", help=setting)
    corpus_option(whole)
    whole.add_argument("--strict", action="store_true", help="refuse I- tags that continue no entity")
    clock = "train stage 1 in one run of N minutes, its schedule fitted to them; without it, what the recipe starts from is trained first"
    whole.add_argument("--minutes", type=float, metavar="N", help=clock)
    whole.add_argument("--ner", metavar="DIR", help="take stage 1 from here, where `train.py ner` wrote it with the same recipe; say so each time")
    send = command("publish", _publish, "Upload a release to the Hub, one repo a folder.")
    send.add_argument("dir", metavar="DIR", help="a folder that `conlipa release` made")
    send.add_argument("--namespace", required=True, metavar="NS", help="user or organisation on the Hub")
    send.add_argument("--private", action="store_true", help="private repos; those that are there and public become private")
    send.add_argument("--dry-run", action="store_true", help="print what would be uploaded, its size, and what would be removed")
    send.add_argument("--force", action="store_true", help="replace repos that hold files of somebody else")
    demo = command("demo", _demo, "Serve the Space on this machine, for the browser.")
    model_options(demo, revision=False, default=None)
    demo.add_argument("--port", type=_port, default=7860, help="of http://127.0.0.1 (default: 7860)")
    names = command("languages", _languages, "The languages that the kit knows, with their engines.")
    names.add_argument("--json", action="store_true", help="JSON Lines")
    return parser


def main(argv: list[str] | None = None) -> None:
    """The console script. Exit code 0: success, 1: failed work, 2: bad usage."""
    if sys.stderr is None:  # closed: what is said there is said to nobody, and not on standard output
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    arguments = _parser().parse_args(argv)
    try:
        if sys.stdout is None:
            raise ConlipaError("standard output is closed")
        sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="\n")  # type: ignore[union-attr]
        if arguments.command == "tag":  # it may need no `transformers` at all
            os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
            warnings.filterwarnings("ignore", category=FutureWarning)
        elif arguments.command in ("adapt", "evaluate", "export", "release", "demo"):
            from conlipa.quiet import quiet

            quiet()
        arguments.run(arguments)
        sys.stdout.flush()
    except ConlipaError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:  # the reader has seen enough
        _drop_output()
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error), 1)
    except KeyboardInterrupt:
        _fail("interrupted", 130)


def _drop_output() -> None:
    """What is still to be written goes nowhere, so that Python does not try, and complain, at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int) -> None:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _drop_output()
    print(f"conlipa: error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)
