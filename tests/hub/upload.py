"""Calls that bring files: preupload, large objects, commit."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

from tests.hub import card
from tests.hub.answer import Answer, Refused, Unknown, as_json
from tests.hub.call import Call, route
from tests.hub.catalogue import REPO, page
from tests.hub.repo import LARGE, Commit, Entry, Repo, blob_id, mode

LFS_JSON = {"Content-Type": "application/vnd.git-lfs+json"}


def _head(repo: Repo, branch: str) -> str:
    if branch not in repo.branches:
        raise Refused(404, f"Invalid rev id: {branch}", "RevisionNotFound")
    return repo.branches[branch]


@route("POST", f"{REPO}/preupload/{{revision}}")
def _preupload(call: Call) -> Answer:
    data = call.json()
    if extra := set(data) - {"files"}:
        raise Unknown(f"preupload with {', '.join(sorted(extra))}")
    repo, _ = call.store.write(call.user, call.kind, call.id)
    head = _head(repo, call.args["revision"])
    there = repo.files(head)
    files: list[dict[str, Any]] = []
    for file in data["files"]:
        path = file["path"]
        files.append({"path": path, "uploadMode": mode(path, file["size"]), "shouldIgnore": False})
        files[-1] |= {"oid": there[path].oid} if path in there else {}
    return as_json({"files": files, "commitOid": head})


def _signature(call: Call, oid: str, size: int) -> str:
    return hmac.new(call.key, f"{call.kind}s/{call.id}/{oid}/{size}".encode(), "sha256").hexdigest()


@route("POST", "{kind}/{namespace}/{name}/info/lfs/objects/batch")
@route("POST", "{namespace}/{name}/info/lfs/objects/batch")
def _batch(call: Call) -> Answer:
    data = call.json()
    if data["operation"] != "upload" or "basic" not in data["transfers"] or data["hash_algo"] != "sha256":
        raise Unknown("only basic uploads by SHA-256")
    repo, _ = call.store.write(call.user, call.kind, call.id)
    _head(repo, data.get("ref", {}).get("name", "main"))
    objects: list[dict[str, Any]] = []
    for one in data["objects"]:
        oid, size = one["oid"], one["size"]
        objects.append({"oid": oid, "size": size})
        there = repo.large(oid)
        if there is not None and there != size:
            objects[-1]["error"] = {"code": 422, "message": f"the object has {there} bytes"}
        elif there is None:
            href = f"{call.url}/lfs/{call.kind}s/{call.id}/{oid}?size={size}&signature={_signature(call, oid, size)}"
            verify = f"{page(call, call.kind, call.id)}.git/info/lfs/verify"
            objects[-1] |= {"authenticated": True, "actions": {"upload": {"href": href}, "verify": {"href": verify}}}
    return as_json({"transfer": "basic", "objects": objects}, headers=LFS_JSON)


@route("PUT", "lfs/{kind}/{namespace}/{name}/{oid}", "size signature")
def _put(call: Call) -> Answer:
    """The address alone is the right to upload: the client sends no token to it."""
    oid, size = call.args["oid"], int(call.query["size"][0])
    if not hmac.compare_digest(call.query["signature"][0], _signature(call, oid, size)):
        raise Refused(403, "The signature of the upload address is wrong")
    folder = call.store.folder / f"{call.kind}s" / call.id
    if not (folder / "repo.json").is_file():
        raise Refused(404, "Repository not found", "RepoNotFound")
    Repo.open(folder, call.kind, call.id).add_large(oid, size, call.body)
    return Answer()


@route("POST", "{kind}/{namespace}/{name}/info/lfs/verify")
@route("POST", "{namespace}/{name}/info/lfs/verify")
def _verify(call: Call) -> Answer:
    data = call.json()
    repo, _ = call.store.write(call.user, call.kind, call.id)
    if repo.large(data["oid"]) != data["size"]:
        raise Refused(404, f"No such object: {data['oid']} of {data['size']} bytes")
    return as_json({}, headers=LFS_JSON)


@route("POST", f"{REPO}/commit/{{revision}}")
def _commit(call: Call) -> Answer:
    repo, user = call.store.write(call.user, call.kind, call.id)
    branch = call.args["revision"]
    head = _head(repo, branch)
    header, *operations = [json.loads(line) for line in call.body.splitlines() if line.strip()]
    if header["key"] != "header" or not header["value"]["summary"]:
        raise Refused(400, "A commit begins with a header that has a summary")
    if header["value"].get("parentCommit", head) != head:
        raise Refused(412, "A commit has happened since. Please refresh and try again.")
    files = dict(repo.files(head))
    content: dict[str, bytes] = {}
    for operation in sorted(operations, key=lambda one: not one["key"].startswith("deleted")):
        _apply(repo, files, content, operation["key"], operation["value"])
    for path in files:
        if inside := [parent for parent in _parents(path) if parent in files]:
            raise Refused(400, f"{inside[0]} cannot be both a file and a folder")
    new = files.get("README.md")
    if new is not None and new.oid in content:
        errors, _ = card.check(content[new.oid].decode(), repo.kind)
        if errors:
            raise Refused(400, "Invalid metadata in README.md", errors=[{"message": text} for text in errors])
    commit = Commit(head, header["value"]["summary"], header["value"].get("description", ""), user.name, files)
    oid = repo.commit(branch, commit, content)
    return as_json({"success": True, "commitOid": oid, "commitUrl": f"{page(call, repo.kind, repo.id)}/commit/{oid}", "hookOutput": ""})


def _apply(repo: Repo, files: dict[str, Entry], content: dict[str, bytes], key: str, value: dict[str, Any]) -> None:
    path = value["path"]
    if key in ("deletedFile", "deletedFolder"):
        gone = [path] if key == "deletedFile" else [one for one in files if one.startswith(path.rstrip("/") + "/")]
        if not gone or any(one not in files for one in gone):
            raise Refused(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
        for one in gone:
            del files[one]
        return
    if not path or any(part in ("", ".", "..", ".git") for part in path.split("/")):
        raise Refused(400, f"Invalid path: {path}")
    if key == "file":
        if value.get("encoding") != "base64":
            raise Unknown(f"encoding {value.get('encoding')}")
        data = base64.b64decode(value["content"], validate=True)
        if data and mode(path, len(data)) == "lfs":
            raise Refused(400, f"{path} is binary or larger than {LARGE} bytes: it must be uploaded with LFS")
        files[path] = Entry(blob_id(data), len(data), False)
        content[files[path].oid] = data
    elif key == "lfsFile":
        size = repo.large(value["oid"])
        if value["algo"] != "sha256" or size is None:
            raise Refused(400, f"{path} points to an LFS object that was never uploaded: {value['oid']}")
        if value.get("size", size) != size:
            raise Refused(400, f"{path} has {size} bytes, announced were {value['size']}")
        files[path] = Entry(value["oid"], size, True)
    else:
        raise Unknown(f"commit with {key}")


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:i]) for i in range(1, len(parts))]
