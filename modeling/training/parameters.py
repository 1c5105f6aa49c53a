"""How many parameters a recipe's model has."""

from __future__ import annotations

from conlipa.errors import UsageError
from conlipa.modeling.encoder import count, new_encoder
from conlipa.modeling.recipe import Recipe
from conlipa.modeling.training.ipac import adapted, projection


def parameter_counts(recipe: Recipe) -> dict[str, int]:
    """Parameters of both stages, from the recipe's configuration alone.

    Raises:
        UsageError: the model is a repo's, whose shape the recipe does not repeat.
    """
    if recipe.encoder.repo and recipe.encoder.vocab_size is None:
        shape = "hidden_size, layers, heads, intermediate_size, max_positions and vocab_size"
        raise UsageError(f"--dry-run: the model of encoder.repo has a shape of its own; give encoder's {shape}, as paper.yaml does")
    model = new_encoder(recipe.encoder)
    encoder_and_head = count(model)
    extra = sum(p.numel() for name, p in model.named_parameters() if "parametrizations.weight.0" in name)  # folded in when saved
    adapter = sum(p.numel() for p in adapted(model, recipe.ipac).parameters() if p.requires_grad)
    head = count(projection(recipe))
    counts = {"encoder_and_head": encoder_and_head - extra, "adapter": adapter, "projection": head}
    return {**counts, "total": sum(counts.values())}
