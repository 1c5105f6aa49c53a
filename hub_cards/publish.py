"""Upload a release to the Hub, one repo a folder, one commit a repo."""

from __future__ import annotations

import json
from pathlib import Path

from dataset_scripts.errors import ConlipaError
from dataset_scripts.hub import need_hub
from hub_cards.release import MANIFEST, Tree
from modeling.recipe import Encoder, Ipac, Ner, Recipe


def read_tree(folder: Path) -> Tree:
    """The release in a folder.

    Raises:
        ConlipaError: no release, or one that is not finished.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise ConlipaError(f"{folder}: no release ({MANIFEST} is missing); make one with `conlipa release --out {folder}`")
    raw = json.loads(manifest.read_text(encoding="utf-8"))["recipe"]
    tree = Tree(folder, Recipe(raw["name"], Encoder(**raw["encoder"]), Ner(**raw["ner"]), Ipac(**raw["ipac"])))
    for name in tree.repos():
        if not (folder / name / "README.md").is_file():
            raise ConlipaError(f"{folder / name}: is not finished; run `conlipa release --out {folder}` again")
    return tree


def publish(folder: Path, namespace: str, private: bool = False, dry_run: bool = False) -> None:
    """Create the repos that are missing and upload what changed.

    Raises:
        ConlipaError: no finished release, no Hub, or the Hub refuses.
    """
    tree = read_tree(folder)
    for name, kind in tree.repos().items():
        files = [path for path in (folder / name).rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        print(f"{kind:8s}{namespace}/{_repo_name(name)}  {len(files)} files, {size / 1e6:.1f} MB")
    if dry_run:
        return
    need_hub(namespace)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    api = HfApi(library_name="conlipa")
    try:
        for name, kind in tree.repos().items():
            repo = f"{namespace}/{_repo_name(name)}"
            api.create_repo(repo, repo_type=kind, private=private, exist_ok=True, space_sdk="gradio" if kind == "space" else None)
            commit = api.upload_folder(repo_id=repo, repo_type=kind, folder_path=folder / name, commit_message="Release by conlipa")
            print(f"{kind:8s}{repo}  {commit.oid}")
    except LocalTokenNotFoundError as error:
        raise ConlipaError("no Hub token: log in with `hf auth login`, or set HF_TOKEN") from error
    except HfHubHTTPError as error:
        raise ConlipaError(f"the Hub refused: {str(error).splitlines()[0]}") from None


def _repo_name(folder: str) -> str:
    return "zero-shot-ner" if folder == "space" else folder
