"""Reading recipes: from the kit's profiles, YAML files, single settings on the command line, and the records of runs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import reprlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from conlipa.errors import ConlipaError, UsageError, nearest
from conlipa.modeling.recipe import Recipe

RECIPES = Path(__file__).parent / "recipes"
_MOST_BYTES = 100_000
_SECTIONS = ("encoder", "ner", "ipac")
_YAML_FAULTS = (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError)
"""What PyYAML raises: a tag that its value does not fit (`!!bool maybe`, `!!int ""`) ends in an error of Python's own."""
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother, _SHORT.maxlist, _SHORT.maxdict = 2, 60, 60, 4, 3


@cache
def profiles() -> tuple[str, ...]:
    """Names of the recipes that come with the kit."""
    return tuple(sorted(path.name.removesuffix(".yaml") for path in RECIPES.iterdir() if path.name.endswith(".yaml")))


def recipe_options(parser: argparse.ArgumentParser, what: str = "recipe") -> None:
    """`--profile` and `--set`, which `recipe_of` reads."""
    parser.add_argument("--profile", default="mini", help=f"{what}: {', '.join(profiles())}, or a YAML file (default: mini)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="SECTION.KEY=VALUE",
        help="change a setting, such as ner.learning_rate=1e-3; repeatable",
    )


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """The recipe that a command line names (`recipe_options`); `--minutes` is one run of that length, from nothing."""
    minutes, stage = getattr(arguments, "minutes", None), getattr(arguments, "stage", "ner")
    clock = [] if minutes is None else [f"{stage}.minutes={minutes}", "ner.start=null"]
    return read_recipe(arguments.profile, [*clock, *arguments.settings])


def read_recipe(profile: str, settings: Sequence[str] = ()) -> Recipe:
    """A recipe by its profile name or by the path of a YAML file.

    Args:
        settings: changes, each `section.key=value` with the value in YAML.

    Raises:
        UsageError: no such profile or file, or a change that is none.
        ConlipaError: a key or value that a recipe does not have, with the file and what is allowed.
    """
    path = Path(profile) if profile.endswith((".yaml", ".yml")) else RECIPES / f"{profile}.yaml"
    if not path.is_file():
        raise UsageError(f"unknown profile '{profile}'{nearest(profile, profiles())} (profiles: {', '.join(profiles())}, or a .yaml file)")
    raw = _raw(path)
    for setting in settings:
        _change(raw, setting)
    asked = {setting.partition("=")[0].strip() for setting in settings}
    if "encoder.repo" in asked and "encoder.revision" not in asked:
        _without_revision(raw)
    return validated(str(path), {"name": path.stem, **{key: value for key, value in raw.items() if value is not None}})


def _raw(path: Path) -> dict[str, Any]:
    """What a file says, on top of the profile that its key `base` names.

    Raises:
        ConlipaError: no mapping, or a base that is no profile.
    """
    raw = read_yaml(path)
    if not isinstance(raw, dict):
        raise ConlipaError(f"{path}: expected a mapping of name, {', '.join(_SECTIONS)}")
    base = raw.pop("base", None)
    if base is None:
        return raw
    if base not in profiles():
        raise ConlipaError(f"{path}: base is {_printable(_shortened(base))}, expected one of {', '.join(profiles())}")
    filled, own = _filled(raw, _raw(RECIPES / f"{base}.yaml")), raw.get("encoder")
    if isinstance(own, dict) and "repo" in own and "revision" not in own:
        _without_revision(filled)
    return filled


def _without_revision(raw: dict[str, Any]) -> None:
    """Another repo does not have the revision of the profile's."""
    if isinstance(raw.get("encoder"), dict):
        raw["encoder"].pop("revision", None)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file of the user's: at most 100 kB, no aliases (a few lines of them can stand for gigabytes).

    Raises:
        ConlipaError: it cannot be read, or is none; with its name.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ConlipaError(f"{path}: more than {_MOST_BYTES:,} bytes, which is no recipe")
        text = content.decode()
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ConlipaError(f"{path}: aliases (*name) are not allowed")
        return yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise ConlipaError(f"{path}: not UTF-8 (byte {error.start + 1})") from error
    except _YAML_FAULTS as error:
        raise ConlipaError(f"{path}: not YAML: {' '.join(str(error).split())[:200]}") from error


def _change(raw: dict[str, Any], setting: str) -> None:
    name, equals, value = setting.partition("=")
    *sections, key = name.strip().split(".")
    if not equals or not sections or not key:
        raise UsageError(f"--set {setting[:60]}: expected SECTION.KEY=VALUE, such as ner.learning_rate=1e-3")
    place = raw
    for section in sections:
        if not isinstance(place.get(section), dict):
            place[section] = {}
        place = place[section]
    try:
        place[key] = yaml.safe_load(value)
    except _YAML_FAULTS as error:
        raise UsageError(f"--set {setting[:60]}: the value is not YAML") from error


def validated(where: str, raw: Mapping[str, Any]) -> Recipe:
    """A recipe from its raw values.

    Raises:
        ConlipaError: a key or value is not allowed; one line: `where`, key, value, what is allowed.
    """
    try:
        return TypeAdapter(Recipe).validate_python(dict(raw))
    except (ValidationError, RecursionError, TypeError) as error:
        raise ConlipaError(f"{where}: {_printable(_complaint(error))}"[:400]) from None


def _printable(line: str) -> str:
    """One line that moves no cursor: keys come from the file, and may hold line breaks and control characters."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)


def _complaint(error: Exception) -> str:
    """The first fault of a recipe in one line."""
    if not isinstance(error, ValidationError):
        return "expected a mapping of name, encoder, ner, ipac"
    fault = error.errors(include_url=False)[0]
    key = ".".join(str(part)[:60] for part in fault["loc"] if not str(part).startswith(("constrained", "function-", "tuple[")))
    if fault["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        *sections, own = fault["loc"]
        return f"unknown key '{key}'{nearest(str(own), _keys(sections))}"
    if fault["type"] == "value_error":
        reason = str(fault["ctx"]["error"])
        return f"{key}: {reason}" if not reason.startswith("is ") else f"{key} {reason}"
    return f"{key} is {_shortened(fault['input'])}, expected {fault['msg'].removeprefix('Input should be ')}"


def _shortened(value: Any) -> str:
    try:
        return _SHORT.repr(value)
    except ValueError:  # more digits than Python writes out
        return "a number of thousands of digits"


def _keys(sections: Sequence[int | str]) -> list[str]:
    """The keys that a section has."""
    kind: Any = Recipe("x")
    for section in sections:
        kind = getattr(kind, str(section))
    return [field.name for field in dataclasses.fields(kind)]


def recorded_recipe(path: Path, raw: dict[str, Any]) -> Recipe:
    """The recipe that a release's manifest holds; `path` is the file named in an error."""
    return validated(str(path), raw)


def completed(recorded: dict[str, Any]) -> dict[str, Any]:
    """A recorded recipe with the defaults of the options that it does not know, as JSON holds them: an older kit had no others."""
    defaults = json.loads(json.dumps(Recipe("x").as_dict()))
    sections = {key for key, value in recorded.items() if isinstance(value, dict) and isinstance(defaults.get(key), dict)}
    return {key: _filled(value, defaults[key]) if key in sections else value for key, value in recorded.items()}


def _filled(known: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    filled = {**defaults, **known}
    both = {key for key in known.keys() & defaults.keys() if isinstance(known[key], dict) and isinstance(defaults[key], dict)}
    return {key: _filled(value, defaults[key]) if key in both else value for key, value in filled.items()}


def with_ipac(recipe: Recipe, changes: dict[str, Any], where: Path) -> Recipe:
    """The recipe with other settings of stage 2.

    Raises:
        ConlipaError: a key or value that stage 2 does not have; `where` is the file named.
    """
    return validated(str(where), {**recipe.as_dict(), "ipac": {**dataclasses.asdict(recipe.ipac), **changes}})
