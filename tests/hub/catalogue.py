"""Calls about whole repos: who am I, create, delete, settings, info, refs, tags, branches, history."""

from __future__ import annotations

from typing import Any

from tests.hub import card
from tests.hub.account import known
from tests.hub.answer import Answer, Refused, Unknown, as_json
from tests.hub.call import KINDS, Call, route
from tests.hub.repo import DATE, Entry, Repo

REPO = "api/{kind}/{namespace}/{name}"


def page(call: Call, kind: str, id: str) -> str:
    """The address of a repo."""
    return f"{call.url}/{id}" if kind == "model" else f"{call.url}/{kind}s/{id}"


def _named(call: Call) -> tuple[str, str]:
    data = call.json()
    kind = data.get("type") or "model"
    if kind not in KINDS.values():
        raise Unknown(f"type {kind}")
    return kind, f"{data.get('organization') or known(call.user).name}/{data['name']}"


@route("GET", "api/whoami-v2")
def _whoami(call: Call) -> Answer:
    return as_json(known(call.user).whoami())


@route("GET", "api/agent-harnesses")
def _harnesses(call: Call) -> Answer:
    """A table of the Hub's that the client's command line asks for; nothing is in it here."""
    return as_json({"standardEnvVars": [], "harnesses": {}})


@route("POST", "api/validate-yaml")
def _validate(call: Call) -> Answer:
    data = call.json()
    errors, warnings = card.check(data["content"], data.get("repoType") or "model")
    listed = {"errors": [{"message": text} for text in errors], "warnings": [{"message": text} for text in warnings]}
    return as_json(listed, 400 if errors else 200)


@route("POST", "api/repos/create")
def _create(call: Call) -> Answer:
    data = call.json()
    if extra := set(data) - {"name", "organization", "type", "visibility", "private", "sdk"}:
        raise Unknown(f"create with {', '.join(sorted(extra))}")
    kind, id = _named(call)
    private = data.get("visibility", "private" if data.get("private") else "public") != "public"
    if kind == "space" and data.get("sdk") not in card.SDKS:
        raise Refused(400, f'"sdk" must be one of [{", ".join(card.SDKS)}]')
    try:
        repo = call.store.create(call.user, kind, id, private, data.get("sdk"))
    except Refused as refused:
        refused.more |= {"url": page(call, kind, id)} if refused.status == 409 else {}
        raise
    return as_json({"url": page(call, kind, id), "name": repo.id, "id": repo.id})


@route("DELETE", "api/repos/delete")
def _delete(call: Call) -> Answer:
    kind, id = _named(call)
    repo, _ = call.store.write(call.user, kind, id, "delete this repository")
    repo.delete()
    return Answer()


@route("PUT", f"{REPO}/settings")
def _settings(call: Call) -> Answer:
    data = call.json()
    if extra := set(data) - {"visibility", "private"}:
        raise Unknown(f"settings {', '.join(sorted(extra))}")
    repo, _ = call.store.write(call.user, call.kind, call.id, "change the settings of this repository")
    repo.private = data.get("visibility", "private" if data.get("private") else "public") != "public"
    repo.save()
    return as_json({"private": repo.private})


@route("GET", REPO, "blobs securityStatus expand")
@route("GET", f"{REPO}/revision/{{revision}}", "blobs securityStatus expand")
def _info(call: Call) -> Answer:
    repo = call.store.read(call.user, call.kind, call.id)
    everything = _describe(repo, call.args.get("revision", "main"), call.flag("blobs"))
    if call.flag("securityStatus"):
        everything["securityRepoStatus"] = {"scansDone": True, "filesWithIssues": []}
    if wanted := call.query.get("expand"):
        if extra := set(wanted) - set(everything):
            raise Unknown(f"expand {', '.join(sorted(extra))}")
        everything = {key: everything[key] for key in ("_id", "id", *wanted)}
    return as_json(everything)


def _describe(repo: Repo, revision: str, blobs: bool) -> dict[str, Any]:
    files = repo.files(revision)
    try:
        data = card.metadata(repo.read(files["README.md"]).decode()) if "README.md" in files else {}
    except ValueError:
        data = {}
    tags = [*(data.get("tags") or []), *([f"license:{data['license']}"] if isinstance(data.get("license"), str) else [])]
    return {
        "_id": repo.find(revision)[:24],
        "id": repo.id,
        "author": repo.namespace,
        "sha": repo.find(revision),
        "private": repo.private,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "createdAt": DATE,
        "lastModified": DATE,
        "tags": tags,
        "cardData": {key: value for key, value in data.items() if key != "model-index"},
        "siblings": [_sibling(path, entry, blobs) for path, entry in files.items()],
        "usedStorage": sum(entry.size for entry in files.values()),
        **({"modelId": repo.id, "library_name": data.get("library_name"), "pipeline_tag": data.get("pipeline_tag")} if repo.kind == "model" else {}),
        **({"model-index": data.get("model-index"), "baseModels": None} if repo.kind == "model" else {}),
        **({"sdk": repo.sdk} if repo.kind == "space" else {}),
    }


def _sibling(path: str, entry: Entry, blobs: bool) -> dict[str, Any]:
    if not blobs:
        return {"rfilename": path}
    lfs = {"lfs": {"sha256": entry.oid, "size": entry.size, "pointerSize": len(entry.pointer)}} if entry.lfs else {}
    return {"rfilename": path, "size": entry.size, "blobId": entry.blob_id, **lfs}


@route("GET", f"{REPO}/auth-check")
@route("GET", f"{REPO}/auth-check/write")
def _auth_check(call: Call) -> Answer:
    if call.path.endswith("/write"):
        call.store.write(call.user, call.kind, call.id)
    else:
        call.store.read(call.user, call.kind, call.id)
    return Answer()


@route("GET", f"{REPO}/refs", "include_prs")
def _refs(call: Call) -> Answer:
    repo = call.store.read(call.user, call.kind, call.id)
    branches = [{"name": name, "ref": f"refs/heads/{name}", "targetCommit": oid} for name, oid in sorted(repo.branches.items())]
    tags = [{"name": name, "ref": f"refs/tags/{name}", "targetCommit": oid} for name, oid in sorted(repo.tags.items())]
    return as_json({"branches": branches, "tags": tags, "converts": [], "pullRequests": []})


@route("POST DELETE", f"{REPO}/tag/{{revision}}")
def _tag(call: Call) -> Answer:
    repo, _ = call.store.write(call.user, call.kind, call.id)
    if call.method == "DELETE":
        return _drop(repo, repo.tags, call.args["revision"])
    tag = call.json()["tag"]
    if tag in repo.tags:
        raise Refused(409, f"Tag reference exists already: refs/tags/{tag}")
    repo.tags[tag] = repo.find(call.args["revision"])
    repo.save()
    return Answer()


@route("POST DELETE", f"{REPO}/branch/{{branch}}")
def _branch(call: Call) -> Answer:
    repo, _ = call.store.write(call.user, call.kind, call.id)
    branch = call.args["branch"]
    if call.method == "DELETE":
        if branch == "main":
            raise Refused(403, "The main branch cannot be deleted")
        return _drop(repo, repo.branches, branch)
    if branch in repo.branches:
        raise Refused(409, f"Reference already exists: refs/heads/{branch}")
    repo.branches[branch] = repo.find(call.json().get("startingPoint", "main"))
    repo.save()
    return Answer()


def _drop(repo: Repo, refs: dict[str, str], name: str) -> Answer:
    if refs.pop(name, None) is None:
        raise Refused(404, f"Invalid rev id: {name}", "RevisionNotFound")
    repo.save()
    return Answer()


@route("GET", f"{REPO}/commits/{{revision}}", "expand[]")
def _commits(call: Call) -> Answer:
    repo = call.store.read(call.user, call.kind, call.id)
    oid: str | None = repo.find(call.args["revision"])
    listed = []
    while oid is not None:
        commit = repo.commits[oid]
        listed.append({"id": oid, "title": commit.title, "message": commit.description, "authors": [{"user": commit.author}], "date": DATE})
        oid = commit.parent
    return as_json(listed)
