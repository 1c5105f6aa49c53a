"""All repos, and who gets to see which."""

from __future__ import annotations

import re
from pathlib import Path

from tests.hub.account import User, may_write
from tests.hub.answer import Refused
from tests.hub.repo import BINARY, Commit, Entry, Repo, blob_id

_NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)
_SPACE_CARD = "---\ntitle: {name}\nemoji: 🐨\ncolorFrom: gray\ncolorTo: gray\nsdk: {sdk}\napp_file: app.py\npinned: false\n---\n"


class Store:
    """Repos on disk: `models/NAMESPACE/NAME` and so on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)

    def state(self) -> dict[str, bytes]:
        """Every file, by its path."""
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()}

    def read(self, user: User | None, kind: str, id: str) -> Repo:
        """A repo, for somebody who sees it.

        Raises:
            Refused: 404, there is none, or it is somebody else's and private.
        """
        folder = self._folder(kind, id)
        if (folder / "repo.json").is_file():
            repo = Repo.open(folder, kind, id)
            if not repo.private or (user is not None and user.sees(repo.namespace)):
                return repo
        raise Refused(404, "Repository not found", "RepoNotFound")

    def write(self, user: User | None, kind: str, id: str, what: str = "write to this repository") -> tuple[Repo, User]:
        """A repo, for somebody who may change it.

        Raises:
            Refused: 401, 403 or 404.
        """
        if user is None:
            may_write(user, "", what)
        repo = self.read(user, kind, id)
        return repo, may_write(user, repo.namespace, what)

    def create(self, user: User | None, kind: str, id: str, private: bool, sdk: str | None) -> Repo:
        """A new repo with its first commit.

        Raises:
            Refused: 400 a bad name, 401 and 403 as in `write`, 409 it exists.
        """
        namespace, _, name = id.partition("/")
        user = may_write(user, namespace, f"create a {kind}")
        if not _NAME.fullmatch(name) or ".." in name or "--" in name or name.endswith((".git", ".", "-")):
            raise Refused(400, f'Invalid repo name: "{name}"')
        folder = self._folder(kind, id)
        if (folder / "repo.json").is_file():
            raise Refused(409, f"You already created this {kind} repo: {id}", id=id)
        repo = Repo(folder, kind, id, private, sdk)
        first = {".gitattributes": "".join(f"*.{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in BINARY).encode()}
        if kind == "space":
            first["README.md"] = _SPACE_CARD.format(name=name, sdk=sdk).encode()
        files = {path: Entry(blob_id(data), len(data), False) for path, data in first.items()}
        repo.commit("main", Commit(None, "initial commit", "", user.name, files), {blob_id(data): data for data in first.values()})
        return repo

    def _folder(self, kind: str, id: str) -> Path:
        namespace, _, name = id.partition("/")
        if not all(_NAME.fullmatch(part) for part in (namespace, name)):
            raise Refused(404, "Repository not found", "RepoNotFound")
        return self.folder / f"{kind}s" / namespace / name
