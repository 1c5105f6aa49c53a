"""Table 3 and Figure 4 of the second paper: do words that sound alike come nearer to each other through IPAC?

Its twenty pairs (`pairs.csv`, from Figures 5 and 6) and, as twenty are few, the pairs of CONLIPA's `extra` languages. A mean cosine can rise
because all words move together, so the words that are no pairs are measured too.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch

from conlipa.dataset_scripts.languages import language
from conlipa.dataset_scripts.loanwords.builder import GROUPS
from conlipa.dataset_scripts.loanwords.pairs import pairs_path, read_pairs, transcribed
from conlipa.modeling.data.fingerprint import of_folder
from conlipa.modeling.data.loanwords import Loanwords
from conlipa.modeling.encoder import load_adapted
from conlipa.modeling.evaluation import papers
from conlipa.modeling.evaluation.markdown import markdown_table, spread
from conlipa.modeling.inference.word_vectors import embedded
from conlipa.modeling.report import tsne
from conlipa.modeling.report.claims import keep_cosines
from conlipa.modeling.report.drawing import svg
from conlipa.modeling.report.measured import runs_of
from conlipa.modeling.report.section import Inputs, Section
from conlipa.modeling.report.words import Pairs, Similarity, Space, cosines, pairs_of, similarity
from conlipa.modeling.studies.runs import seeded

KEY = "embedding"
PAIRS = Path(__file__).parent / "pairs.csv"
TSNE_FIGURE, SIMILARITY_FIGURE = "embedding-tsne.svg", "embedding-similarity.svg"


def figure_pairs(input_kind: str) -> dict[str, Pairs]:
    """The pairs of Figures 5 and 6 by the papers' name of them (`eng-ori`), in the figures' order, by the kit's own transcription."""
    with PAIRS.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = {}
    for lang in dict.fromkeys(row["lang"] for row in rows):
        own = [row for row in rows if row["lang"] == lang]
        spoken = zip(transcribed("eng", [row["english"] for row in own]), transcribed(lang, [row["target"] for row in own]), strict=True)
        both = [{**row, "english_ipa": english, "target_ipa": target} for row, (english, target) in zip(own, spoken, strict=True)]
        found[f"eng-{lang}"] = pairs_of(lang, both, input_kind)
    return found


def extra_pairs(input_kind: str) -> list[Pairs]:
    """Those of CONLIPA's languages beyond the paper."""
    return [pairs_of(lang, read_pairs(pairs_path(lang)), input_kind) for lang in GROUPS["extra"]]


def adapter_of(inputs: Inputs, seed: int) -> Path:
    """An adapter of the recipe, trained with a seed (once for all sections); the report's own where one seed is all that is asked for."""
    if inputs.seeds == 1:
        return Path(inputs.adapter)
    return runs_of(inputs).adapter(seeded(inputs.recipe, seed))


def space_of(inputs: Inputs, adapter: str | None, words: Sequence[str]) -> Space:
    """The words' vectors before (no adapter) or after IPAC; kept in a file that is named by weights and words."""
    made_of = [of_folder(inputs.ner), of_folder(adapter) if adapter else "", *words]
    memory = inputs.out / "work" / KEY / f"vectors-{hashlib.sha256(chr(10).join(made_of).encode()).hexdigest()[:16]}.npy"
    if not memory.is_file():
        vectors = embedded(*load_adapted(inputs.ner, adapter), words).numpy()
        memory.parent.mkdir(parents=True, exist_ok=True)
        beside = memory.with_suffix(".partial.npy")
        np.save(beside, vectors)
        beside.replace(memory)
    return dict(zip(words, torch.from_numpy(np.load(memory, allow_pickle=False)), strict=True))


def pair_cosines(pairs: Pairs, space: Space) -> list[float]:
    """Of each pair, in order."""
    own, _ = cosines(*pairs.vectors(space))
    return [float(value) for value in own]


def section(inputs: Inputs) -> Section:
    """Cosines beside the papers', the words that are no pairs, retrieval, t-SNE."""
    input_kind = inputs.recipe.encoder.input
    named, extra = figure_pairs(input_kind), extra_pairs(input_kind)
    words = sorted({word for pairs in (*named.values(), *extra) for word in (*pairs.english, *pairs.target)})
    before, shown = space_of(inputs, None, words), space_of(inputs, inputs.adapter, words)
    after = [space_of(inputs, str(adapter_of(inputs, seed)), words) for seed in range(inputs.seeds)]

    found = {name: {"before": pair_cosines(pairs, before), "after": [pair_cosines(pairs, space) for space in after]} for name, pairs in named.items()}
    keep_cosines(inputs, found)
    sets = {name: [pairs] for name, pairs in named.items()} | {f"eng-{pairs.lang}": [pairs] for pairs in extra}
    sets[f"mean of the {len(extra)}"] = extra
    measured = {name: (_mean_of(parts, before), [_mean_of(parts, space) for space in after]) for name, parts in sets.items()}
    body = "\n\n".join([_introduction(inputs), _table_3(named, found), _reading(found, measured), *_others(inputs, extra, measured)])
    figures = {TSNE_FIGURE: tsne.figure(named, before, shown), SIMILARITY_FIGURE: similarity_figure(extra, before, shown)}
    data = {name: {"before": start._asdict(), "after": [end._asdict() for end in ends]} for name, (start, ends) in measured.items()}
    return Section(KEY, "Words that sound alike: cosine similarity and t-SNE", body, figures, data={"cosine": found, "sets": data})


def _mean_of(parts: Sequence[Pairs], space: Space) -> Similarity:
    """The mean over languages."""
    return Similarity(*(mean(values) for values in zip(*(similarity(*pairs.vectors(space)) for pairs in parts), strict=True)))


def _spread(values: Sequence[float]) -> str:
    """Percent: the mean over seeds, with its sample standard deviation."""
    return spread([100 * value for value in values])


def _printed(name: str) -> tuple[papers.Row, papers.Row]:
    """The papers' rows, before and after."""
    return papers.row("ipac_3", name, "XPhoneBERT"), papers.row("ipac_3", name, "CONLIPA")


def _introduction(inputs: Inputs) -> str:
    several = f"{inputs.seeds} adapters of its recipe, mean ± standard deviation over seeds"
    adapters = several if inputs.seeds > 1 else "the adapter of this report"
    return (
        "Table 3 of the second paper, on the words of its Figures 5 and 6 (never trained on), transcribed by the kit; its samples are taken to be"
        " in the figures' order. Cosine similarity of mean-pooled last hidden states, without the projection, in percent. Before:"
        f" stage 1; after: {adapters}. The papers' encoder is another one: of its cosines only the change compares."
    )


def _table_3(named: Mapping[str, Pairs], found: Mapping[str, Any]) -> str:
    head = ["pair", "English word", "papers, before", "papers, after", "before", "after"]
    rows: list[list[str | float | None]] = []
    for name, pairs in named.items():
        printed = _printed(name)
        before, after = found[name]["before"], list(zip(*found[name]["after"], strict=True))
        for number, label in enumerate(pairs.labels):
            theirs = [row.values.get(str(number + 1)) for row in printed]
            rows.append([name, label, *theirs, 100 * before[number], _spread(after[number])])
        averages = 100 * mean(before), _spread([mean(one) for one in found[name]["after"]])
        rows.append([f"**{name}**", "**AVG**", *(row.average for row in printed), *averages])
    return markdown_table(head, rows)


def _reading(found: Mapping[str, Any], measured: Mapping[str, tuple[Similarity, list[Similarity]]]) -> str:
    """What the numbers say of the paper's claim."""
    lines = []
    for name, cosine in found.items():
        ends = [mean(values) for values in zip(*cosine["after"], strict=True)]
        risen = sum(end > start for start, end in zip(cosine["before"], ends, strict=True))
        first, last = _printed(name)
        they_rose = sum(last.values[sample] > value for sample, value in first.values.items())
        before, after = measured[name][0], Similarity(*(mean(values) for values in zip(*measured[name][1], strict=True)))
        change, gap = 100 * (after.pairs - before.pairs), 100 * (after.gap - before.gap)
        lines.append(
            f"- {name}: the mean cosine of the pairs changes by {change:+.2f} and rises in {risen} of {len(ends)} (papers:"
            f" {mean(last.values.values()) - mean(first.values.values()):+.2f}, {they_rose} of {len(first.values)}); that of words that are no pairs"
            f" changes by {100 * (after.others - before.others):+.2f}: the gap between them {'widens' if gap > 0 else 'narrows'} by {abs(gap):.2f}."
        )
    return "\n".join(lines)


def _others(inputs: Inputs, extra: Sequence[Pairs], measured: Mapping[str, tuple[Similarity, list[Similarity]]]) -> list[str]:
    """The larger set, the table of all sets, and the figures."""
    trained = {str(row["english"]) for row in Loanwords(inputs.recipe.ipac).rows}
    labels = [label for pairs in extra for label in pairs.labels]
    seen = sum(label in trained for label in labels)
    names = ", ".join(language(pairs.lang).name for pairs in extra)
    use = "which the recipe trains on too" if inputs.recipe.ipac.extra else "which are not trained on"
    drawn = "" if inputs.seeds == 1 else " Both figures are of the report's own adapter."
    head = ["words", "pairs", "no pairs", "gap", "pairs, centred", "retrieved"]
    rows: list[list[str]] = []
    for name, (before, after) in measured.items():
        starts = [*before[:2], before.gap, *before[2:]]
        ends = list(zip(*([*one[:2], one.gap, *one[2:]] for one in after), strict=True))
        rows.append([name, *(f"{100 * start:.1f} → {_spread(end)}" for start, end in zip(starts, ends, strict=True))])
    what = f"Cosine similarity of pairs and of words that are no pairs, before and after IPAC, {len(labels)} pairs of {len(extra)} languages"
    return [
        f"The same for the {len(labels)} pairs of {names}, {use}; the English word of {seen} of them stands in a pair of another language that is."
        " *No pairs*: each target word with the other English words of its language's list. *Centred*: after the mean vector of the list is taken"
        " off, so that what all words share does not count. *Retrieved*: share of the target words whose nearest English word is their own.",
        markdown_table(head, rows),
        f"![{what}]({SIMILARITY_FIGURE})",
        f"Figure 4 of the second paper: t-SNE with its perplexity of {tsne.PERPLEXITY}, so only nearest neighbours mean anything, no distance between"
        f" groups. {tsne.ITERATIONS:,} iterations (after the paper's 300 the points have not settled).{drawn}",
        f"![t-SNE of the twenty pairs, before and after IPAC]({TSNE_FIGURE})",
    ]


def similarity_figure(extra: Sequence[Pairs], before: Space, after: Space) -> str:
    """Histograms of the cosines of pairs and of other words, each of area 1."""

    def draw(axes: Any) -> None:
        parts = [
            [torch.cat(part).numpy() for part in zip(*(cosines(*pairs.vectors(space)) for pairs in extra), strict=True)] for space in (before, after)
        ]
        bins = np.histogram_bin_edges(np.concatenate([values for part in parts for values in part]), 60)
        for panel, part, when in zip(axes[0], parts, ("before IPAC", "after IPAC"), strict=True):
            for name, values in zip(("pairs", "no pairs"), part, strict=True):
                panel.hist(values, bins=bins, density=True, alpha=0.6, label=f"{name}, mean {values.mean():.2f}")
            panel.set(xlabel="cosine similarity", title=when)
            panel.legend(loc="upper left")
        axes[0][0].set_ylabel("density")

    return svg(draw, 1, 2, size=(4.0, 2.8), sharex=True, sharey=True)
