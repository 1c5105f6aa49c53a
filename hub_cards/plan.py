"""What a publication consists of: every repo with its files, as they will stand on the Hub."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import RepoCard
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from conlipa.errors import ConlipaError, UsageError
from conlipa.hub import is_repo
from conlipa.hub_cards.tree import MANIFEST, Tree
from conlipa.modeling.recipe_file import recorded_recipe
from conlipa.modeling.records import RECORD, read_json
from conlipa.paths import component

PLACEHOLDER = "NAMESPACE"
"""Stands in the cards of a release for whoever will publish it."""
CARD_LIMIT = 1_000_000
"""Bytes of a card; the Hub shows no larger ones."""
_RULES = "1 to 96 of the letters a to z, digits, '-', '_', '.'; no '-' or '.' at its ends, no '--', no '..'"
KIT_TAG = "conlipa"
"""The tag by which a repo's card says that this kit wrote it."""


@dataclass(frozen=True)
class Repo:
    """One repo of the plan; `files` maps paths to a local file or to content that the namespace is written into."""

    kind: str
    name: str
    files: dict[str, Path | bytes]

    def size(self) -> int:
        """Bytes of all files."""
        return sum(len(content) if isinstance(content, bytes) else content.stat().st_size for content in self.files.values())


def read_tree(folder: Path) -> Tree:
    """The release in a folder.

    Raises:
        ConlipaError: no release, or one that is not finished.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise ConlipaError(f"{folder}: no release ({MANIFEST} is missing); make one with `conlipa release --out {folder}`")
    raw = read_json(manifest).get("recipe")
    if not isinstance(raw, dict):
        raise ConlipaError(f"{manifest}: damaged (no recipe in it); name a folder that `conlipa release` made")
    tree = Tree(folder, recorded_recipe(manifest, raw))
    for name in tree.repos():
        if not (folder / name / "README.md").is_file():
            raise ConlipaError(f"{folder / name}: is not finished; run `conlipa release --out {folder}` again")
    return tree


def plan(folder: Path, namespace: str) -> list[Repo]:
    """The repos of a release, in the order in which they are published: what others point at comes first.

    Raises:
        UsageError: a namespace that no user or organisation can have.
        ConlipaError: no finished release, or a name or card that the Hub would refuse.
    """
    check_namespace(namespace)
    tree = read_tree(folder)
    for name in tree.repos():
        try:
            validate_repo_id(f"{namespace}/{repo_name(name)}")
        except HFValidationError as error:
            raise ConlipaError(f"{folder / name}: no name that the Hub allows ({_RULES}); give the recipe another name") from error
    return [_repo(tree.root / name, kind, f"{namespace}/{repo_name(name)}", namespace) for name, kind in tree.repos().items()]


def check_namespace(namespace: str) -> None:
    """Refuse what the Hub's own client would.

    Raises:
        UsageError: a namespace that no user or organisation can have.
    """
    try:
        validate_repo_id(f"{namespace}/{KIT_TAG}")
    except HFValidationError as error:
        raise UsageError(f"--namespace {namespace!r}: no name that the Hub allows ({_RULES})") from error


def repo_name(folder: str) -> str:
    """The repo's name on the Hub."""
    return "zero-shot-ner" if folder == "space" else folder


def _repo(folder: Path, kind: str, name: str, namespace: str) -> Repo:
    files: dict[str, Path | bytes] = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).as_posix()
        if not path.is_file() or any(part.startswith(".") for part in Path(inside).parts):
            continue
        if path.name == "README.md":
            files[inside] = _card(path, namespace)
        elif path.name == "adapter_config.json":
            config = read_json(path)
            base = component(Path(str(config.get("base_model_name_or_path"))).name, f"{path}: base_model_name_or_path")
            config["base_model_name_or_path"] = f"{namespace}/{base}"
            files[inside] = (json.dumps(config, indent=2, sort_keys=True) + "\n").encode()
        elif path.name == RECORD:
            files[inside] = _record(path)
        else:
            files[inside] = path
    return Repo(kind, name, files)


def _record(path: Path) -> Path | bytes:
    """The record of a run, whose recipe may name folders of this machine: of those the last part."""
    record = read_json(path)
    public = _without_places(record)
    return path if public == record else (json.dumps(public, indent=2, ensure_ascii=False) + "\n").encode()


def _without_places(found: Any) -> Any:
    if isinstance(found, list):
        return [_without_places(each) for each in found]
    if not isinstance(found, dict):
        return found
    named = {key: Path(value).name for key, value in found.items() if key in ("repo", "start") and isinstance(value, str) and not is_repo(value)}
    return {key: _without_places(value) for key, value in found.items()} | named


def card_tags(text: str) -> list[str]:
    """The tags of a card; none where its YAML is not valid."""
    try:
        return _tags(text)
    except (ValueError, yaml.YAMLError):
        return []


def _tags(text: str) -> list[str]:
    tags = RepoCard(text).data.to_dict().get("tags")  # type: ignore[no-untyped-call]
    return [str(tag) for tag in tags] if isinstance(tags, list) else []


def _card(path: Path, namespace: str) -> bytes:
    """The card with the namespace written in, checked as the Hub's own client reads it."""
    try:
        text = path.read_text(encoding="utf-8").replace(f"{PLACEHOLDER}/", f"{namespace}/")
    except UnicodeDecodeError as error:
        raise ConlipaError(f"{path}: the card is not UTF-8 (byte {error.start})") from error
    content = text.encode()
    if len(content) > CARD_LIMIT:
        raise ConlipaError(f"{path}: the card has {len(content)} bytes; {CARD_LIMIT} at most")
    try:
        tags = _tags(text)
    except (ValueError, yaml.YAMLError) as error:
        raise ConlipaError(f"{path}: the card's YAML is not valid ({' '.join(str(error).split())})") from error
    if KIT_TAG not in tags:
        raise ConlipaError(f"{path}: the card has no tag '{KIT_TAG}', by which the kit knows its own repos")
    return content
