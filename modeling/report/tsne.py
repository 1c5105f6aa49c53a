"""Figure 4 of the second paper: pairs of words in the plane, by t-SNE, before and after IPAC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from conlipa.dataset_scripts.languages import language
from conlipa.modeling.report.drawing import svg
from conlipa.modeling.report.words import Pairs, Space

PERPLEXITY = 2
"""The paper's (appendix G)."""
ITERATIONS, RATE = 1000, 10.0
"""After the paper's 300, at the usual rate, twenty points have not settled."""

Points = NDArray[np.float32]


def figure(named: Mapping[str, Pairs], before: Space, after: Space) -> str:
    """A row a language: before, after; a colour a pair, joined by a line."""

    def draw(axes: Any) -> None:
        for row, pairs in zip(axes, named.values(), strict=True):
            for panel, space, when in zip(row, (before, after), ("before IPAC", "after IPAC"), strict=True):
                points = points_of(pairs, space)
                for number, ((x, y), (to_x, to_y)) in enumerate(zip(*np.split(points, 2), strict=True)):
                    panel.plot([x, to_x], [y, to_y], color=f"C{number % 10}", linewidth=0.8, alpha=0.6)
                    panel.plot(x, y, "o", color=f"C{number % 10}", markersize=5)
                    panel.plot(to_x, to_y, "^", color=f"C{number % 10}", markersize=5)
                for label, (x, y, side) in zip(pairs.labels, label_places(points, pairs.labels), strict=True):
                    panel.text(x, y, label, fontsize=8, ha=side, va="center")
                panel.set_title(f"English ● and {language(pairs.lang).name} ▲, {when}")
                panel.set(xticks=[], yticks=[], xlim=(-0.75, 0.75), ylim=(-0.56, 0.56), aspect="equal")

    return svg(draw, len(named), 2, size=(4.7, 3.7))


def points_of(pairs: Pairs, space: Space) -> Points:
    """(2 pairs, 2) points of all English words and then all target words, within a square of side 1 around 0."""
    english, target, own = pairs.vectors(space)
    settings = {"perplexity": PERPLEXITY, "max_iter": ITERATIONS, "learning_rate": RATE, "init": "pca", "method": "exact"}
    points = np.asarray(TSNE(**settings, random_state=0).fit_transform(torch.cat([english[own], target]).numpy()))
    low, high = points.min(0), points.max(0)
    scaled: Points = (points - (low + high) / 2) / (high - low).max()
    return scaled


def label_places(points: Points, labels: Sequence[str]) -> list[tuple[float, float, str]]:
    """`x, y, alignment` of the label beside each of the first points, where it covers fewest points and earlier labels."""
    taken = [(x, y, 0.03, 0.03) for x, y in points]  # boxes: middle, width and height
    found = []
    for (x, y), label in zip(points, labels, strict=False):
        width = 0.022 * len(label)
        places = [(x + side * (0.02 + width / 2), y + up, width, 0.042) for up in (0, 0.03, -0.03, 0.06, -0.06) for side in (1, -1)]

        def covered(place: tuple[float, float, float, float]) -> int:
            return sum(abs(place[0] - u) < (place[2] + w) / 2 and abs(place[1] - v) < (place[3] + h) / 2 for u, v, w, h in taken)

        best = min(places, key=covered)
        taken.append(best)
        found.append((x + 0.02, best[1], "left") if best[0] > x else (x - 0.02, best[1], "right"))
    return found
