"""Calls that read files: tree, paths-info, resolve."""

from __future__ import annotations

import mimetypes
import re
from typing import Any

from tests.hub.answer import Answer, Refused, as_json, stored_json
from tests.hub.call import Call, route
from tests.hub.catalogue import REPO
from tests.hub.repo import DATE, Entry, Repo, blob_id

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def _listing(repo: Repo, revision: str, expand: bool) -> dict[str, dict[str, Any]]:
    """Every file and every folder, by its path."""
    head = repo.find(revision)
    last = {"lastCommit": {"id": head, "title": repo.commits[head].title, "date": DATE}} if expand else {}
    files = repo.files(head)
    listed: dict[str, dict[str, Any]] = {}
    for path, entry in files.items():
        for i, letter in enumerate(path):
            if letter == "/" and path[:i] not in listed:
                below = {one: found.blob_id for one, found in files.items() if one.startswith(path[: i + 1])}
                listed[path[:i]] = {"type": "directory", "oid": blob_id(stored_json(below)), "size": 0, "path": path[:i], **last}
        lfs = {"lfs": {"oid": entry.oid, "size": entry.size, "pointerSize": len(entry.pointer)}} if entry.lfs else {}
        security = {"securityFileStatus": {"status": "safe", "avScan": None, "pickleImportScan": None}} if expand else {}
        listed[path] = {"type": "file", "oid": entry.blob_id, "size": entry.size, "path": path, **lfs, **last, **security}
    return listed


@route("GET", f"{REPO}/tree/{{revision}}", "recursive expand")
@route("GET", f"{REPO}/tree/{{revision}}/{{path*}}", "recursive expand")
def _tree(call: Call) -> Answer:
    repo = call.store.read(call.user, call.kind, call.id)
    listed = _listing(repo, call.args["revision"], call.flag("expand"))
    folder = call.args.get("path", "").strip("/")
    if folder and listed.get(folder, {}).get("type") != "directory":
        raise Refused(404, f"{folder} does not exist on {call.args['revision']!r}", "EntryNotFound")
    start = f"{folder}/" if folder else ""
    inside = [item for path, item in listed.items() if path.startswith(start)]
    return as_json([item for item in inside if call.flag("recursive") or "/" not in item["path"][len(start) :]])


@route("POST", f"{REPO}/paths-info/{{revision}}")
def _paths_info(call: Call) -> Answer:
    repo = call.store.read(call.user, call.kind, call.id)
    form = call.json() if "json" in call.headers.get("Content-Type", "") else call.form()
    expand = str(form.get("expand", ["false"])).strip("[]'").lower() == "true"
    listed = _listing(repo, call.args["revision"], expand)
    return as_json([listed[path] for path in form.get("paths", []) if path in listed])


@route("GET HEAD", "{kind}/{namespace}/{name}/resolve/{revision}/{path*}", "download")
@route("GET HEAD", "{namespace}/{name}/resolve/{revision}/{path*}", "download")
def _resolve(call: Call) -> Answer:
    repo = call.store.read(call.user, call.kind, call.id)
    head = repo.find(call.args["revision"])
    entry = repo.files(head).get(call.args["path"])
    if entry is None:
        raise Refused(404, "Entry not found", "EntryNotFound", {"X-Repo-Commit": head})
    headers = {
        "X-Repo-Commit": head,
        "ETag": f'"{entry.oid}"',
        "Accept-Ranges": "bytes",
        "Content-Type": mimetypes.guess_type(call.args["path"])[0] or "application/octet-stream",
        **({"X-Linked-Etag": f'"{entry.oid}"', "X-Linked-Size": str(entry.size)} if entry.lfs else {}),
    }
    if call.headers.get("If-None-Match") == headers["ETag"]:
        return Answer(304, b"", headers)
    return _part(repo.read(entry), entry, call.headers.get("Range"), headers)


def _part(data: bytes, entry: Entry, wanted: str | None, headers: dict[str, str]) -> Answer:
    found = _RANGE.fullmatch(wanted) if wanted is not None else None
    if found is None or not any(found.groups()):
        return Answer(200, data, headers)
    first, last = found.groups()
    start = int(first) if first else max(entry.size - int(last), 0)
    end = min(int(last) + 1 if first and last else entry.size, entry.size)
    if start >= end:
        raise Refused(416, "The range lies outside the file", headers={"Content-Range": f"bytes */{entry.size}"})
    return Answer(206, data[start:end], {**headers, "Content-Range": f"bytes {start}-{end - 1}/{entry.size}"})
