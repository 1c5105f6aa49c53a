"""Proof that the pairs sound alike: true pairs against the same words shuffled.

python -m conlipa.dataset_scripts.loanwords.pair_proof          # prints the table, writes pairs/proof.json and pairs/similarity.svg
"""

from __future__ import annotations

import random
from typing import Any

from sklearn.metrics import roc_auc_score

from conlipa.atomic_files import write_json
from conlipa.dataset_scripts.g2p.similarity import similarity
from conlipa.dataset_scripts.languages import language
from conlipa.dataset_scripts.loanwords.builder import GROUPS
from conlipa.dataset_scripts.loanwords.korean_pairs import accuracy
from conlipa.dataset_scripts.loanwords.pairs import Pair, pairs_path, read_pairs
from conlipa.dataset_scripts.tables import FOLDER
from conlipa.errors import ConlipaError, exit_on_error

SEED = 0
WEAKEST = 5


def shuffled(rows: list[Pair], seed: int = SEED) -> list[float]:
    """Similarity of each target with another row's English word."""
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    partner = dict(zip(order, [*order[1:], order[0]], strict=True))  # a cycle: nobody keeps his own
    return [similarity(str(row["target_ipa"]), str(rows[partner[i]]["english_ipa"])) for i, row in enumerate(rows)]


def prove(lang: str) -> dict[str, Any]:
    """Counts, ROC AUC of true against shuffled pairs, the weakest pairs, and both distributions.

    Raises:
        ConlipaError: as `read_pairs`; a single pair, or none, which cannot be shuffled.
    """
    path = pairs_path(lang)
    if len(rows := read_pairs(path)) < 2:
        raise ConlipaError(f"{path}: expected two pairs or more, found {len(rows)}")
    true, false = [float(row["similarity"]) for row in rows], shuffled(rows)
    weakest = sorted(rows, key=lambda row: float(row["similarity"]))[:WEAKEST]
    return {
        "pairs": len(rows),
        "attested": sum(row["origin"] == "attested" for row in rows),
        "auc": round(float(roc_auc_score([1] * len(true) + [0] * len(false), true + false)), 4),
        "mean": round(sum(true) / len(true), 4),
        "mean_shuffled": round(sum(false) / len(false), 4),
        "weakest": [f"{row['target']} – {row['english']} ({row['similarity']})" for row in weakest],
        "histogram": _histogram(true),
        "histogram_shuffled": _histogram(false),
    }


def _histogram(values: list[float], bins: int = 20) -> list[int]:
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int(value * bins))] += 1
    return counts


def draw(proof: dict[str, dict[str, Any]]) -> None:
    """One small histogram a language: true pairs over shuffled ones."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "conlipa"  # the same data give the same file
    figure, axes = pyplot.subplots(4, 5, figsize=(13, 8), sharex=True)
    for axis, (lang, row) in zip(axes.flat, proof.items(), strict=False):
        for name, colour in (("histogram_shuffled", "#c8c8c8"), ("histogram", "#1f6fb4")):
            share = [count / max(1, row["pairs"]) for count in row[name]]
            axis.bar([(i + 0.5) / len(share) for i in range(len(share))], share, width=1 / len(share), color=colour, alpha=0.8)
        axis.set_title(f"{language(lang).name}, {row['pairs']} pairs, AUC {row['auc']:.3f}", fontsize=9)
        axis.set_yticks([])
    figure.suptitle("Articulatory similarity of true pairs (blue) and of the same words shuffled (grey)")
    figure.supxlabel("similarity, 0 to 1")
    figure.tight_layout()
    figure.savefig(FOLDER / "pairs" / "similarity.svg", metadata={"Date": None})


def main() -> None:
    proof = {lang: prove(lang) for group in GROUPS.values() for lang in group}
    print("| language | pairs | attested | AUC | mean | shuffled | weakest |\n|---|---:|---:|---:|---:|---:|---|")
    for lang, row in proof.items():
        weakest = "; ".join(row["weakest"][:3])
        print(f"| {lang} | {row['pairs']} | {row['attested']} | {row['auc']:.4f} | {row['mean']:.3f} | {row['mean_shuffled']:.3f} | {weakest} |")
    measured = {name: round(value, 2) for name, value in accuracy().items()}
    exact, letters = measured["exact"], measured["letter_error_rate"]
    print(f"Korean orthography, {measured['pairs']:.0f} attested words: {exact}% exactly, {letters}% of letters in error")
    write_json({"languages": proof, "korean_orthography": measured}, FOLDER / "pairs" / "proof.json")
    draw(proof)


if __name__ == "__main__":
    with exit_on_error():
        main()
