"""Whether `--profile` is the recipe that a stage-1 model was trained by: refused before any work is done, where it is not."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conlipa.errors import ConlipaError
from conlipa.modeling.recipe import Recipe
from conlipa.modeling.recipe_file import completed, profiles, read_recipe
from conlipa.modeling.records import RECORD, read_json


def check_profile(arguments: argparse.Namespace, recipe: Recipe, ner: str) -> None:
    """Stage 2 is trained on this model by the recipe of the command line: settings of another encoder's do not fit it, or fit it by chance.

    Raises:
        ConlipaError: the model's record has another name of the recipe, or another encoder; a model without a record may be any.
    """
    path = Path(ner) / RECORD
    recorded = read_json(path).get("recipe") if path.is_file() else None
    made_by = _identity(completed(recorded)) if isinstance(recorded, dict) else {}
    wanted = _identity(recipe.as_dict())
    different = next((key for key, value in made_by.items() if wanted.get(key) != value), None)
    if different:
        own = next((known for known in profiles() if made_by.items() <= _identity(read_recipe(known).as_dict()).items()), "FILE.yaml")
        given = f"--profile {arguments.profile}{' and --set' if arguments.settings else ''}"
        raise ConlipaError(
            f"{ner}: was trained by a recipe whose {different} is {made_by[different]}, and with {given} it is {wanted.get(different)};"
            f" name its own (--profile {own}, and what was --set for it)"
        )


def _identity(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Name and encoder: what a model has of its recipe, whatever settings the stages are trained with."""
    encoder = recipe.get("encoder")
    settings = {f"encoder.{key}": value for key, value in encoder.items()} if isinstance(encoder, dict) else {}
    return {"name": recipe["name"], **settings} if "name" in recipe else settings
