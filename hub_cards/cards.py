"""Cards: YAML data and Markdown text from a run's own files; every number in them is read, none is typed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import metadata, version
from pathlib import Path
from typing import Any

from huggingface_hub import DatasetCardData, EvalResult, ModelCardData, SpaceCardData
from huggingface_hub.repocard_data import CardData
from jinja2 import Environment, PackageLoader, StrictUndefined
from pyarrow import parquet

from conlipa.dataset_scripts.languages import by_case, language, languages
from conlipa.dataset_scripts.loanwords.builder import GROUPS
from conlipa.dataset_scripts.quality.quality import QUALITY
from conlipa.dataset_scripts.tables import FOLDER, rows
from conlipa.hub import is_repo
from conlipa.hub_cards.origin import is_wikiann, origin_of, pairs_of, weights_of
from conlipa.modeling.data.redirects import redirects
from conlipa.modeling.evaluation.comparison import before_and_after, case_table
from conlipa.modeling.evaluation.evaluation import table, without_redirects
from conlipa.modeling.evaluation.everyday import table as everyday_table
from conlipa.modeling.recipe import Recipe
from conlipa.modeling.training.run_metadata import runs_of

_templates = Environment(
    loader=PackageLoader("conlipa.hub_cards"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
)


def _card(data: CardData, template: str, **values: Any) -> str:
    body = _templates.get_template(template).render(version=version("conlipa"), **values)
    return f"---\n{data.to_yaml()}\n---\n\n{body}"


def _hub_codes(langs: list[str]) -> list[str]:
    """Codes that the Hub accepts: ISO 639-1 where there is one, else ISO 639-3, no two alike."""
    codes = {language(iso).wikiann if len(language(iso).wikiann) == 2 else iso for iso in langs}
    return sorted(codes)


def _configs(configs: dict[str, dict[str, list[str]]], default: str) -> list[dict[str, Any]]:
    """The `configs:` of a dataset card: config → split → files."""
    made = []
    for name, splits in configs.items():
        config: dict[str, Any] = {"config_name": name, "data_files": [{"split": split, "path": paths} for split, paths in splits.items()]}
        made.append(config | ({"default": True} if name == default else {}))
    return made


def conlipa_card(folder: Path) -> str:
    """The card of the CONLIPA dataset in `folder`."""
    proof = json.loads((FOLDER / "pairs" / "proof.json").read_text(encoding="utf-8"))
    rows: dict[str, Any] = {}
    for path in sorted((folder / "data").glob("*.parquet")):
        pairs = parquet.read_table(path).to_pylist()
        rows[path.stem] = {**proof["languages"][path.stem], "language": language(path.stem), "pairs": len(pairs), "example": pairs[0]}
    files = {iso: {"train": [f"data/{iso}.parquet"]} for group in GROUPS.values() for iso in group}
    groups = {name: {"train": [f"data/{iso}.parquet" for iso in langs]} for name, langs in GROUPS.items() if langs}
    data = DatasetCardData(
        language=_hub_codes(["eng", *files]),
        license="cc-by-4.0",
        pretty_name="CONLIPA",
        task_categories=["feature-extraction", "sentence-similarity"],
        tags=["conlipa", "phonemes", "ipa", "loanwords", "contrastive-learning"],
        size_categories=[_size_category(sum(row["pairs"] for row in rows.values()))],
        configs=_configs(groups | files, "all"),
    )
    return _card(data, "conlipa.md", rows=rows, ten=GROUPS["all"], extra=GROUPS["extra"], korean=proof["korean_orthography"])


def wikiann_card(folder: Path, source: str) -> str:
    """The card of the WikiANN-IPA dataset in `folder`."""
    rows: dict[str, dict[str, int]] = {}
    configs: dict[str, dict[str, list[str]]] = {}
    for path in sorted(folder.glob("*/*.parquet")):
        iso, split = path.parent.name, path.stem
        rows.setdefault(iso, {})[split] = parquet.read_metadata(path).num_rows
        configs.setdefault(iso, {})[split] = [f"{iso}/{split}.parquet"]
    origin = origin_of(source)
    data = DatasetCardData(
        language=_hub_codes(list(rows)),
        **origin.licence,
        pretty_name=origin.title,
        task_categories=["token-classification"],
        task_ids=["named-entity-recognition"],
        tags=["conlipa", "phonemes", "ipa", "zero-shot"],
        size_categories=[_size_category(sum(sum(row.values()) for row in rows.values()))],
        configs=_configs(configs, "eng" if "eng" in configs else ""),
    )
    table_rows = [(language(iso), rows[iso]) for iso in rows]
    quality = json.loads(QUALITY.read_text(encoding="utf-8"))
    pure = {name: sum(figures.get(name, 0) for figures in quality.values()) for name in ("tokens", "phonemes", "impure")}
    last = next(reversed(rows))
    shown = next(((iso, "validation") for iso in reversed(rows) if "validation" in rows[iso]), (last, next(iter(rows[last]))))
    return _card(
        data,
        "wikiann_ipa.md",
        rows=table_rows,
        shown=shown,
        source=source,
        wikiann=is_wikiann(source),
        title=origin.title,
        described=origin.described,
        quality=quality,
        pure=pure,
    )


def _size_category(rows: int) -> str:
    bounds = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    return next((name for bound, name in bounds if rows < bound), "1M<n<10M")


def _results(report: dict[str, Any], source: str) -> list[EvalResult]:
    """The `model-index` of a report: both scores, every language."""
    origin, trained_on = origin_of(source), report.get("sources", [])
    return [
        EvalResult(
            task_type="token-classification",
            task_name=f"{'' if iso in trained_on else 'zero-shot '}named entity recognition on phonemes",
            dataset_type=origin.kind,
            dataset_name=f"{origin.name} ({language(iso).name})",
            dataset_config=language(iso).wikiann or iso,
            dataset_split="validation",
            metric_type="f1",
            metric_name={"paper_f1": "macro F1 over phoneme positions, as in the papers", "entity_f1": "strict entity F1 over words (seqeval, IOB2)"}[
                score
            ],
            metric_value=round(row[score], 2),
        )
        for iso, row in report["languages"].items()
        for score in ("paper_f1", "entity_f1")
    ]


def _model_data(recipe: Recipe, report: dict[str, Any], source: str, name: str, **more: Any) -> ModelCardData:
    return ModelCardData(
        language=_hub_codes([*report["languages"], *report.get("sources", [])]),
        pipeline_tag="token-classification",
        tags=["conlipa", "named-entity-recognition", "phonemes", "ipa", "zero-shot", "cross-lingual"],
        model_name=name,
        eval_results=_results(report, source),
        **{**weights_of(recipe.encoder.repo, recipe.encoder.revision), **more},
    )


def _versions(record: dict[str, Any]) -> str:
    """The environment that a model was trained in."""
    return ", ".join(f"{name} {number}" for name, number in record["environment"].items() if number and name != "git")


def ner_card(recipe: Recipe, record: dict[str, Any], scores: dict[str, Any], source: str, running: Sequence[str] = ()) -> str:
    """The card of the stage-1 model; `running`: the sets of running text that it was trained on too."""
    data = _model_data(recipe, scores["before"], source, f"{recipe.name}-ner", library_name="transformers")
    return _card(
        data,
        "ner.md",
        recipe=recipe,
        record=record,
        earlier=runs_of(record)[1:],
        versions=_versions(record),
        scores=table({"": scores["before"]}),
        weights=scores["weights"]["ner"],
        cases=case_table({"": scores["before"], "without redirects": without_redirects(scores["before"])}),
        redirects=_redirects(recipe),
        sources=[language(iso) for iso in record["languages"]],
        kin=_kin(record["languages"]),
        source=source,
        described=origin_of(source).described,
        wikiann=is_wikiann(source),
        corpora=running_corpora(running),
    )


def running_corpora(sets: Sequence[str]) -> list[dict[str, str]]:
    """Sets of running text, each with the corpus, owner and licence of the one that the kit's own recipes know by that name; nothing of any other."""
    known = {row["set"]: row for row in rows("running.csv")}
    return [known.get(name, {"set": name, "name": "", "repository": "", "licence": ""}) for name in sets]


def _redirects(recipe: Recipe) -> list[str]:
    """Names of the languages whose word for a redirect came before names in training."""
    settings = recipe.ner.augmentation
    return [language(iso).name for iso in redirects(recipe.ner.exclude)] if settings.share and settings.redirect else []


def _kin(sources: list[str]) -> dict[str, str]:
    """The papers' test languages that have near kin among the sources (`kin` of the language table): their names, and the kin's."""
    found = {}
    for iso in by_case("1", "2", "3"):
        near = [other for other in language(iso).kin if other in sources]
        if near and iso not in sources:
            found[language(iso).name] = ", ".join(language(other).name for other in near)
    return found


def ipac_card(recipe: Recipe, record: dict[str, Any], scores: dict[str, Any], source: str, calibration: dict[str, Any] | None = None) -> str:
    """The card of the stage-2 adapter; `calibration` is what `conlipa.modeling.inference.calibration` wrote beside it, if it was run."""
    data = _model_data(recipe, scores["after"], source, f"{recipe.name}-ipac", library_name="peft", base_model=f"NAMESPACE/{recipe.name}-ner")
    both = table({"before": scores["before"], "IPAC": scores["after"]})
    return _card(
        data,
        "ipac.md",
        recipe=recipe,
        record=record,
        versions=_versions(record),
        scores=both,
        weights=scores["weights"]["ipac"],
        cases=before_and_after(scores),
        unmarked=case_table({"IPAC": scores["after"], "without capitals": scores["unmarked"]}) if "unmarked" in scores else "",
        running=table({"IPAC": scores["running"]}) if "running" in scores else "",
        everyday=everyday_table(scores["everyday"]) if "everyday" in scores else "",
        calibration=calibration,
        source=source,
        wikiann=is_wikiann(source),
        pairs=pairs_of(recipe.ipac),
    )


def space_card(recipe: Recipe, packaged: bool) -> str:
    """The card (and configuration) of the Space; `packaged`: the release's model is the one that the Space runs unless told otherwise."""
    data = SpaceCardData(
        title="Zero-shot NER on phonemes",
        emoji="🗣️",
        colorFrom="blue",
        colorTo="green",
        sdk="gradio",
        sdk_version=version("gradio"),
        python_version=_oldest_python(),  # the Hub's default is older than the kit takes
        app_file="app.py",
        license="apache-2.0",
        models=[f"NAMESPACE/{recipe.name}-ner", f"NAMESPACE/{recipe.name}-ipac"] if packaged else None,
        datasets=["NAMESPACE/conlipa", *(["NAMESPACE/wikiann-ipa"] if packaged else [])],  # the second one is what the model was trained on
        tags=["conlipa"],
    )
    return _card(data, "space.md", recipe=recipe, packaged=packaged)


def _oldest_python() -> str:
    """The oldest that the kit takes."""
    return metadata("conlipa")["Requires-Python"].removeprefix(">=")


def adapted_card(record: dict[str, Any], name: str, base: str, read_by: str, given: str = "", license: str | None = None) -> str:
    """The card of an adapter that `conlipa adapt` wrote.

    Args:
        read_by: options that say how texts are read.
        given: options of the fitting alone.
        license: that of the base, where its card names one.
    """
    code = record["language"]
    known = languages().get(code)
    data = ModelCardData(
        language=_hub_codes([code]) if known else ([code] if code.isascii() and code.islower() and code.isalpha() and len(code) in (2, 3) else None),
        license=license or "apache-2.0",
        pipeline_tag="token-classification",
        library_name="peft",
        base_model=base if is_repo(base) else None,  # a name that the Hub does not know would be a dead link
        tags=["conlipa", "named-entity-recognition", "phonemes", "ipa"],
        model_name=name,
    )
    called = {"name": name, "base": base, "language": known.name if known else code, "read_by": read_by, "given": given}
    return _card(data, "adapted.md", record=record, versions=_versions(record), **called)
