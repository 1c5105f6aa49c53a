"""A repo in a folder: `repo.json` with refs and commits, and `objects/` named by their hash.

Text lies under its git blob id (SHA-1), large files under their SHA-256. Nothing in it depends on when it was written.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

from tests.hub.answer import Refused, stored_json

DATE = "2000-01-01T00:00:00.000Z"
LARGE = 10 * 1024 * 1024
_BINARY = (
    "7z arrow avro bin bz2 ckpt feather flac ftz gif gz h5 ico jpeg jpg joblib lz4 mds mlmodel model mp3 mp4 msgpack npy npz ogg onnx ot parquet "
    "pb pdf pickle pkl png pt pth rar safetensors tar tflite tgz wasm wav webm webp woff woff2 xz zip zst"
)
BINARY = _BINARY.split()
_LFS_OID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    """A file of a commit."""

    oid: str
    size: int
    lfs: bool

    @property
    def pointer(self) -> bytes:
        """What git itself holds of a large file."""
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.oid}\nsize {self.size}\n".encode()

    @property
    def blob_id(self) -> str:
        """The git blob id."""
        return blob_id(self.pointer) if self.lfs else self.oid


@dataclass(frozen=True)
class Commit:
    """A commit with its whole tree."""

    parent: str | None
    title: str
    description: str
    author: str
    files: dict[str, Entry]

    def oid(self, repo: str) -> str:
        """The commit id, made of the parent, the content and the message."""
        return hashlib.sha1(stored_json([repo, self.parent, self.title, self.description, asdict(self)["files"]])).hexdigest()


@dataclass
class Repo:
    """A repo, read with `open` and written with `save`."""

    folder: Path
    kind: str
    id: str
    private: bool = False
    sdk: str | None = None
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, kind: str, id: str) -> Repo:
        """The repo that lies in a folder."""
        raw = json.loads((folder / "repo.json").read_bytes())
        commits = {
            oid: Commit(**{**one, "files": {path: Entry(**entry) for path, entry in one["files"].items()}}) for oid, one in raw["commits"].items()
        }
        return cls(folder, kind, id, raw["private"], raw["sdk"], raw["branches"], raw["tags"], commits)

    def save(self) -> None:
        """Write refs and commits, all of them or none."""
        data: dict[str, object] = {"private": self.private, "sdk": self.sdk, "branches": self.branches, "tags": self.tags}
        data["commits"] = {oid: asdict(commit) for oid, commit in self.commits.items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / "repo.json.partial"
        partial.write_bytes(stored_json(data))
        partial.replace(self.folder / "repo.json")

    def delete(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder)

    @property
    def namespace(self) -> str:
        """The first half of the id."""
        return self.id.split("/")[0]

    def find(self, revision: str) -> str:
        """The commit id of a branch, a tag or a commit.

        Raises:
            Refused: 404, there is none.
        """
        name = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        for refs in (self.branches, self.tags, {oid: oid for oid in self.commits}):
            if name in refs:
                return refs[name]
        raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def files(self, revision: str) -> dict[str, Entry]:
        """The files of a revision, sorted by path."""
        return dict(sorted(self.commits[self.find(revision)].files.items()))

    def read(self, entry: Entry) -> bytes:
        """The content of a file."""
        return (self.folder / "objects" / entry.oid).read_bytes()

    def large(self, oid: str) -> int | None:
        """The size of a large object that has been uploaded, None where it has not."""
        path = self.folder / "objects" / oid
        return path.stat().st_size if _LFS_OID.fullmatch(oid) and path.is_file() else None

    def add_large(self, oid: str, size: int, data: bytes) -> None:
        """Keep a large object.

        Raises:
            Refused: 400, the data are not what was announced.
        """
        if len(data) != size:
            raise Refused(400, f"The size of the object is {len(data)}, announced were {size}")
        if hashlib.sha256(data).hexdigest() != oid:
            raise Refused(400, f"The SHA-256 of the object is not {oid}")
        self._keep(oid, data)

    def _keep(self, oid: str, data: bytes) -> None:
        path = self.folder / "objects" / oid
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def commit(self, branch: str, commit: Commit, content: dict[str, bytes]) -> str:
        """Move a branch to a new commit, or leave it where nothing changes; `content` is the new text by its blob id."""
        if commit.parent is not None and commit.files == self.commits[commit.parent].files:
            return commit.parent
        for oid, data in content.items():
            self._keep(oid, data)
        oid = commit.oid(f"{self.kind}s/{self.id}")
        self.commits[oid] = commit
        self.branches[branch] = oid
        self.save()
        return oid


def blob_id(data: bytes) -> str:
    """The git blob id of a content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def mode(path: str, size: int) -> str:
    """How a file is uploaded: `lfs` or `regular`."""
    return "lfs" if size > LARGE or PurePosixPath(path).suffix[1:].lower() in BINARY else "regular"
