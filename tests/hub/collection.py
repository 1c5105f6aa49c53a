"""Collections: `collections/NAMESPACE/SLUG.json`, and the calls about them."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from tests.hub.account import may_write
from tests.hub.answer import Answer, Refused, Unknown, as_json, stored_json
from tests.hub.call import KINDS, Call, route
from tests.hub.repo import DATE

LIMITS = {"title": 60, "description": 150, "note": 500}
ONE = "api/collections/{namespace}/{slug}"


def _identity(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def _path(call: Call, slug: str) -> Path:
    namespace, _, name = slug.partition("/")
    if not all(re.fullmatch(r"[\w-][\w.-]*", part) for part in (namespace, name)):
        raise Refused(404, "Collection not found")
    return call.store.folder / "collections" / namespace / f"{name}.json"


def _read(call: Call) -> dict[str, Any]:
    path = _path(call, f"{call.args['namespace']}/{call.args['slug']}")
    if path.is_file():
        data: dict[str, Any] = json.loads(path.read_bytes())
        if _visible(call, data):
            return data
    raise Refused(404, "Collection not found")


def _visible(call: Call, data: dict[str, Any]) -> bool:
    return not data["private"] or (call.user is not None and call.user.sees(data["namespace"]))


def _write(call: Call) -> dict[str, Any]:
    if call.user is None:
        may_write(None, "", "")
    data = _read(call)
    may_write(call.user, data["namespace"], "change a collection")
    return data


def _save(call: Call, data: dict[str, Any]) -> None:
    path = _path(call, data["slug"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(stored_json(data))


def _shown(data: dict[str, Any]) -> dict[str, Any]:
    items = [{**item, "position": i, "note": {"text": item["note"]} if item["note"] else None} for i, item in enumerate(data["items"])]
    return {**data, "owner": {"name": data["namespace"], "type": "user"}, "items": items, "lastUpdated": DATE, "position": 0, "upvotes": 0}


def _listed(data: dict[str, Any]) -> dict[str, Any]:
    """As it stands in a list: without its position, and with four of its items."""
    shown = _shown(data)
    return {key: value for key, value in {**shown, "items": shown["items"][:4]}.items() if key != "position"}


def _limit(**texts: str | None) -> None:
    for name, text in texts.items():
        if text is not None and len(text) > LIMITS[name]:
            raise Refused(400, f'"{name}" must be at most {LIMITS[name]} characters')


@route("POST", "api/collections")
def _create(call: Call) -> Answer:
    given = call.json()
    namespace, title = given["namespace"], given["title"]
    may_write(call.user, namespace, "create a collection")
    _limit(title=title, description=given.get("description"))
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    slug = f"{namespace}/{words}-{_identity(namespace, title)}"
    if _path(call, slug).is_file():
        raise Refused(409, f"You already created this collection: {title}", slug=slug)
    data = {"slug": slug, "namespace": namespace, "title": title, "description": given.get("description"), "theme": "orange"}
    data |= {"private": given.get("private", False), "items": []}
    _save(call, data)
    return as_json(_shown(data))


@route("GET", "api/collections", "owner item limit")
def _list(call: Call) -> Answer:
    found = [json.loads(path.read_bytes()) for path in sorted((call.store.folder / "collections").glob("*/*.json"))]
    owners, wanted = call.query.get("owner"), call.query.get("item", [])
    shown = [
        _listed(data)
        for data in found
        if _visible(call, data)
        and (owners is None or data["namespace"] in owners)
        and all(any(one == f"{item['type']}s/{item['id']}" for item in data["items"]) for one in wanted)
    ]
    return as_json(shown[: int(call.query["limit"][0])] if "limit" in call.query else shown)


@route("GET", ONE)
def _get(call: Call) -> Answer:
    return as_json(_shown(_read(call)))


@route("PATCH", ONE)
def _update(call: Call) -> Answer:
    given, data = call.json(), _write(call)
    if extra := set(given) - {"title", "description", "private", "theme"}:
        raise Unknown(f"collection with {', '.join(sorted(extra))}")
    _limit(title=given.get("title"), description=given.get("description"))
    data |= given
    _save(call, data)
    return as_json({"success": True, "data": _shown(data)})


@route("DELETE", ONE)
def _delete(call: Call) -> Answer:
    _path(call, _write(call)["slug"]).unlink()
    return Answer()


@route("POST", f"{ONE}/items")
def _add(call: Call) -> Answer:
    given, data = call.json(), _write(call)
    kind, id = given["item"]["type"], given["item"]["id"]
    if kind not in KINDS.values():
        raise Unknown(f"collection item of type {kind}")
    _limit(note=given.get("note"))
    call.store.read(call.user, kind, id)
    identity = _identity(data["slug"], kind, id)
    if any(item["_id"] == identity for item in data["items"]):
        raise Refused(409, f"The collection has this {kind} already: {id}")
    data["items"].append({"_id": identity, "id": id, "type": kind, "note": given.get("note")})
    _save(call, data)
    return as_json(_shown(data))


@route("PATCH DELETE", f"{ONE}/items/{{item}}")
def _item(call: Call) -> Answer:
    data = _write(call)
    items: list[dict[str, Any]] = data["items"]
    place = next((i for i, item in enumerate(items) if item["_id"] == call.args["item"]), None)
    if place is None:
        raise Refused(404, "The collection has no such item")
    item = items.pop(place)
    if call.method == "PATCH":
        given = call.json()
        _limit(note=given.get("note"))
        item["note"] = given.get("note", item["note"])
        items.insert(given.get("position", place), item)
    _save(call, data)
    return as_json({"success": True})
