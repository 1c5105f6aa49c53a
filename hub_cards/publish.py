"""Upload a release to the Hub: one repo a folder, one commit a repo, only what changed; safe to run again."""

from __future__ import annotations

import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conlipa.atomic_files import write_json
from conlipa.errors import ConlipaError, UsageError
from conlipa.hub import need_hub
from conlipa.hub_cards.plan import KIT_TAG, Repo, card_tags, plan
from conlipa.hub_cards.retries import RefusedError, with_retries

COLLECTION = "Zero-shot NER on phonemes"


class _ForeignError(ConlipaError):
    """A repo holds what this kit did not write."""


def publish(folder: Path, namespace: str, private: bool = False, dry_run: bool = False, force: bool = False) -> None:
    """Create the repos that are missing, commit what changed, tag the version, tie all together in a collection.

    Stopped anywhere, the same command finishes it: each repo changes by one commit or not at all. Files that a repo has and the release lacks
    are removed, after they were named. With `private`, repos that are there and public become private before anything is sent; without it,
    none changes its visibility.

    Args:
        dry_run: only say what would be uploaded, and what removed where the Hub can be asked.

    Raises:
        UsageError: a namespace that is not yours.
        ConlipaError: no finished release, no Hub, a repo of somebody else's making, or the Hub refuses.
    """
    repos = plan(folder, namespace)
    for repo in repos:
        print(f"{repo.kind:8s}{repo.name}  {len(repo.files)} files, {repo.size() / 1e6:.1f} MB")
    from huggingface_hub import HfApi, get_token

    api = HfApi(library_name="conlipa", library_version=version("conlipa"))
    try:
        need_hub(repos[0].name)
        if not dry_run:
            _check_namespace(api, namespace)
        surplus = {repo.name: _surplus(api, repo, force) for repo in repos}
    except ConlipaError as error:
        if isinstance(error, _ForeignError) or not dry_run:
            raise
        print(f"conlipa: warning: files that would be removed are not known: {error}", file=sys.stderr)
        return
    for name, files in surplus.items():
        if files:
            print(f"removes from {name}: {', '.join(files)}")
    if not dry_run:
        _send(api, repos, surplus, folder, namespace, private)
    elif not get_token():
        print("conlipa: warning: without a token private repos are not seen, nor what would be removed there", file=sys.stderr)


def _send(api: Any, repos: list[Repo], surplus: dict[str, list[str]], folder: Path, namespace: str, private: bool) -> None:
    """Bring all repos to the plan's state, and record the commits that they then stand at."""
    if private:
        for repo in repos:
            _hide(api, repo)
    commits = {repo.name: _commit(api, repo, surplus[repo.name], private) for repo in repos}
    for repo in repos:
        _tag(api, repo, commits[repo.name])
    write_json({"namespace": namespace, "version": version("conlipa"), "commits": commits}, folder / ".published" / f"{namespace}.json")
    for name, commit in commits.items():
        print(f"{commit}  {name}")
    try:
        _collect(api, repos, namespace, private)
    except RefusedError as error:  # all is published; a Hub may have no collections
        print(f"conlipa: warning: no collection was made: {error}", file=sys.stderr)


def _check_namespace(api: Any, namespace: str) -> None:
    me = with_retries("who am I", api.whoami)
    mine = [me["name"], *(org["name"] for org in me.get("orgs", []))]
    if namespace not in mine:
        raise UsageError(f"namespace '{namespace}' is not yours (this token may publish to: {', '.join(mine)})")


def _files(api: Any, repo: Repo) -> list[str]:
    """Files that the repo has on the Hub; none where it does not exist."""
    if not with_retries(repo.name, lambda: api.repo_exists(repo.name, repo_type=repo.kind)):
        return []
    return with_retries(repo.name, partial(_listed, api, repo))


def _listed(api: Any, repo: Repo) -> list[str]:
    return [str(name) for name in api.list_repo_files(repo.name, repo_type=repo.kind) if name != ".gitattributes"]


def _surplus(api: Any, repo: Repo, force: bool) -> list[str]:
    """Files that the repo has on the Hub and the plan lacks.

    Raises:
        ConlipaError: it holds files that this kit did not write, and they are not to be overwritten by `force`.
    """
    there = _files(api, repo)
    if not force:
        _check_ours(api, repo, there)
    return sorted(set(there) - set(repo.files))


def _check_ours(api: Any, repo: Repo, there: list[str]) -> None:
    """A repo that is there must be empty, or carry the kit's tag in its card; `there`: its files.

    Raises:
        ConlipaError: it holds files that this kit did not write.
    """
    if not there or (repo.kind == "space" and there == ["README.md"]):  # a new Space is born with a card
        return
    info = with_retries(repo.name, lambda: api.repo_info(repo.name, repo_type=repo.kind))
    tags = set(getattr(info, "tags", None) or [])
    card = getattr(info, "card_data", None)
    tags |= set((card.to_dict().get("tags") or []) if card else [])
    if KIT_TAG not in tags and not ("README.md" in there and _has_tag(api, repo)):
        raise _ForeignError(f"{repo.name}: holds {len(there)} files that this kit did not write ({', '.join(there[:3])}); --force replaces them")


def _has_tag(api: Any, repo: Repo) -> bool:
    """Whether the README itself has the kit's tag: not every Hub parses cards."""
    with TemporaryDirectory() as folder:
        path = with_retries(repo.name, lambda: api.hf_hub_download(repo.name, "README.md", repo_type=repo.kind, local_dir=folder))
        return KIT_TAG in card_tags(Path(path).read_text(encoding="utf-8", errors="replace"))


def _hide(api: Any, repo: Repo) -> None:
    """Make a repo private that is there and public.

    Raises:
        ConlipaError: the Hub does not do it.
    """
    if not with_retries(repo.name, lambda: api.repo_exists(repo.name, repo_type=repo.kind)):
        return
    if with_retries(repo.name, lambda: api.repo_info(repo.name, repo_type=repo.kind)).private:
        return
    with_retries(f"{repo.name}: is public and cannot be made private", lambda: api.update_repo_settings(repo.name, repo_type=repo.kind, private=True))
    print(f"{repo.name}: was public, is private now", file=sys.stderr)


def _commit(api: Any, repo: Repo, surplus: list[str], private: bool) -> str:
    """Bring the repo to the plan's state by one commit, without the files of `surplus`; returns the commit that it then stands at."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    sdk = "gradio" if repo.kind == "space" else None
    with_retries(repo.name, lambda: api.create_repo(repo.name, repo_type=repo.kind, private=private, exist_ok=True, space_sdk=sdk))

    def commit() -> Any:
        # New operations for each try: the client marks those that it has uploaded, and what a commit without an answer has deleted is gone
        operations: list[Any] = [CommitOperationDelete(path) for path in sorted(set(_listed(api, repo)) & set(surplus))]
        operations += [CommitOperationAdd(path, content if isinstance(content, bytes) else str(content)) for path, content in repo.files.items()]
        return api.create_commit(repo.name, operations, commit_message=f"conlipa {version('conlipa')}", repo_type=repo.kind)

    return str(with_retries(repo.name, commit).oid)


def _tag(api: Any, repo: Repo, commit: str) -> None:
    """`v<version>` at the commit; moved there when it points elsewhere."""
    tag = f"v{version('conlipa')}"
    refs = with_retries(repo.name, lambda: api.list_repo_refs(repo.name, repo_type=repo.kind))
    at = {ref.name: ref.target_commit for ref in refs.tags}.get(tag)
    if at == commit:
        return
    if at is not None:
        try:
            with_retries(repo.name, lambda: api.delete_tag(repo.name, tag=tag, repo_type=repo.kind))
        except RefusedError as error:
            if error.status != 404:  # a try without an answer has deleted it
                raise
    with_retries(repo.name, lambda: api.create_tag(repo.name, tag=tag, revision=commit, repo_type=repo.kind, exist_ok=True))


def _collect(api: Any, repos: list[Repo], namespace: str, private: bool) -> None:
    made = with_retries(COLLECTION, lambda: api.create_collection(COLLECTION, namespace=namespace, private=private, exists_ok=True))
    if private and not made.private:
        with_retries(COLLECTION, lambda: api.update_collection_metadata(made.slug, private=True))
    there = {item.item_id for item in with_retries(COLLECTION, lambda: api.get_collection(made.slug)).items}
    for repo in repos:
        if repo.name not in there:
            with_retries(COLLECTION, partial(api.add_collection_item, made.slug, repo.name, repo.kind, exists_ok=True))
