"""Stage 1 goes on from a shallower model: what it knew stays, and the new layers learn."""

from pathlib import Path

import pytest
import torch

from conlipa.errors import ConlipaError
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.encoder import load_tagger
from conlipa.modeling.inference.packaged import packaged
from conlipa.modeling.recipe import Encoder, Recipe
from conlipa.modeling.training.depth import deepened
from conlipa.modeling.training.ner import NerStage

LAYERS = 11


@pytest.fixture(scope="module")
def model():
    return load_tagger(str(packaged("mini-en")[0]))[0]


def test_more_layers_say_what_fewer_said(model):
    grown = deepened(model, LAYERS).eval()
    assert grown.config.num_hidden_layers == len(grown.roberta.encoder.layer) == LAYERS
    assert model.config.num_hidden_layers == 6
    ids = torch.randint(5, 100, (40, 30), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, after = model(input_ids=ids).logits, grown(input_ids=ids).logits
    assert (before.argmax(-1) == after.argmax(-1)).float().mean() > 0.97
    grown.roberta.encoder.layer[2].load_state_dict(model.roberta.encoder.layer[2].state_dict())  # the check above can fail
    with torch.no_grad():
        assert (before.argmax(-1) == grown(input_ids=ids).logits.argmax(-1)).float().mean() < 0.97


def test_new_layers_get_a_gradient(model):
    grown = deepened(model, LAYERS).train()
    grown(input_ids=torch.arange(5, 25)[None], labels=torch.zeros(1, 20, dtype=torch.long)).loss.backward()
    assert all(layer.output.dense.weight.grad.abs().sum() > 0 for layer in grown.roberta.encoder.layer)


def test_fewer_layers_are_refused(model):
    assert deepened(model, 6) is model
    with pytest.raises(ConlipaError, match=r"encoder\.layers is 4, expected at least the 6"):
        deepened(model, 4)


@pytest.mark.parametrize(("repo", "layers", "expected"), [(None, 8, 8), ("somewhere", 2, 6)])
def test_a_stage_that_starts_from_a_model_has_the_recipe_s_layers_or_those_of_its_repo(repo, layers, expected):
    start, encoder = Path(packaged("mini-en")[0]), Encoder(repo=repo, layers=layers)
    made = NerStage(Recipe("x", encoder=encoder), Corpus("sample"), ["eng"], start)
    assert made.module.model.config.num_hidden_layers == expected


def test_a_start_of_another_shape_is_refused_and_has_the_recipe_s_dropout():
    start = Path(packaged("mini-en")[0])
    made = NerStage(Recipe("x", encoder=Encoder(dropout=0.25)), Corpus("sample"), ["eng"], start)
    assert {module.p for module in made.module.modules() if isinstance(module, torch.nn.Dropout)} == {0.25}
    with pytest.raises(ConlipaError, match=r"has 130 as its max_positions, and encoder\.max_positions is 194"):
        NerStage(Recipe("x", encoder=Encoder(max_positions=194)), Corpus("sample"), ["eng"], start)
    with pytest.raises(ConlipaError, match=r"has 192 as its hidden_size, and encoder\.hidden_size is 96"):
        NerStage(Recipe("x", encoder=Encoder(hidden_size=96)), Corpus("sample"), ["eng"], start)
