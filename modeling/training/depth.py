"""A trained encoder with more layers: the new ones change next to nothing at first, and learn from there."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch

from conlipa.errors import ConlipaError


def deepened(model: Any, layers: int) -> Any:
    """A stock RoBERTa tagger of `layers` layers from a shallower one: new layers come evenly spread, each after the one that it is a copy of.

    What attention and feed-forward add to the stream is zero in a new layer, and its layer norms give back what they get, as nearly as
    one scale and shift for all positions can. So labels stay as they were, but for a few positions.

    Raises:
        ConlipaError: the model has more layers than asked for.
    """
    there = model.config.num_hidden_layers
    check_depth(there, layers)
    if there == layers:
        return model
    config = deepcopy(model.config)
    config.num_hidden_layers = layers
    grown = type(model)(config)
    of_old = [new * there // layers for new in range(layers)]
    old = model.roberta.encoder.layer
    for new, source in enumerate(of_old):
        layer = grown.roberta.encoder.layer[new]
        layer.load_state_dict(old[source].state_dict())
        if new and of_old[new - 1] == source:
            _pass_on(layer)
    rest = {name: weight for name, weight in model.state_dict().items() if not name.startswith("roberta.encoder.layer.")}
    grown.load_state_dict(rest, strict=False)
    return grown


def check_depth(there: int, layers: int) -> None:
    """Raises ConlipaError where a model has more layers than asked for."""
    if there > layers:
        raise ConlipaError(f"encoder.layers is {layers}, expected at least the {there} of the model that ner.start trains")


@torch.no_grad()
def _pass_on(layer: Any) -> None:
    """Make a copy of a layer give back what that layer has given.

    Its input is z * weight + bias, with z of mean 0 and variance 1 at each position: a norm takes the mean and the deviation of that away,
    which are much the same at all positions, and gets them back as its own bias and weight.
    """
    norm = layer.output.LayerNorm
    scale = (norm.weight.square().mean() + norm.bias.var(correction=0)).sqrt()
    shift = norm.bias.mean()
    for block in (layer.attention.output, layer.output):
        block.dense.weight.zero_()
        block.dense.bias.zero_()
        block.LayerNorm.weight.fill_(scale)
        block.LayerNorm.bias.fill_(shift)
