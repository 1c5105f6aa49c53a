"""What the values of a recipe may be."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from conlipa.errors import ConlipaError
from conlipa.paths import component


def _named(name: str) -> str:
    try:
        return component(name, "it")
    except ConlipaError as error:
        raise ValueError(str(error).removeprefix("it ")) from None


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    if twice := next((name for number, name in enumerate(names) if name in names[:number]), None):
        raise ValueError(f"has {twice} twice")
    return names


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("is true or false, expected a number")
    return value


def _yaml_no(value: Any) -> Any:
    """YAML reads the bare word `no` as false."""
    return "no" if value is False else value


Whole = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
Natural = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]
Size = Annotated[int, Field(strict=True, ge=1, le=65_536)]
Share = Annotated[float, BeforeValidator(_no_boolean), Field(ge=0, le=1)]
Part = Annotated[float, BeforeValidator(_no_boolean), Field(ge=0, lt=1)]
Positive = Annotated[float, BeforeValidator(_no_boolean), Field(gt=0, le=1e6)]
Weight = Annotated[float, BeforeValidator(_no_boolean), Field(ge=0, le=1e6)]
Logit = Annotated[float, BeforeValidator(_no_boolean), Field(ge=-20, le=20)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Name = Annotated[str, AfterValidator(_named)]
Rate = Annotated[float, BeforeValidator(_no_boolean), Field(gt=0, le=1e30)]
Minutes = Annotated[float, BeforeValidator(_no_boolean), Field(gt=0, le=1_000_000)]
Precision = Annotated[Literal["no", "bf16"], BeforeValidator(_yaml_no)]
Languages = Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000), AfterValidator(_once)]
