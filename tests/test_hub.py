"""The loopback Hub, as stock libraries in fresh processes find it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
import safetensors.numpy
from numpy import arange

from tests.conftest import run
from tests.hub import KINDS, Fault, LoopbackHub, loopback_hub
from tests.hub.card import check
from tests.hub.clients import CARD, CHANGES, CLIENT, DATASET, DOWNLOAD, FAULTY, MODEL, RIGHTS, ROWS, TOKENS, UPLOAD, WRONG_HASH


def client(hub: LoopbackHub, script: str, *arguments: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    """What a fresh client says."""
    done = run("-c", f"{CLIENT}{script}\nprint(json.dumps(out))", *arguments, env=env or hub.env())
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def ask(hub: LoopbackHub, method: str, path: str, body: bytes | None = None, token: str | None = "hf_test", **headers: str) -> tuple[int, str, bytes]:
    """A bare request: status, error message and body."""
    connection = http.client.HTTPConnection(hub.url.removeprefix("http://"), timeout=20)
    connection.request(method, path, body, {**({"Authorization": f"Bearer {token}"} if token else {}), **headers})
    answer = connection.getresponse()
    got = answer.status, answer.headers.get("X-Error-Message", ""), answer.read()
    connection.close()
    return got


def commit(hub: LoopbackHub, *operations: tuple[str, dict[str, Any]], **header: str) -> tuple[int, str, bytes]:
    """A bare commit."""
    lines = [("header", {"summary": "bare", "description": "", **header}), *operations]
    body = b"".join(json.dumps({"key": key, "value": value}).encode() + b"\n" for key, value in lines)
    return ask(hub, "POST", "/api/datasets/someone/words/commit/main", body)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LoopbackHub]:
    """An empty Hub."""
    with loopback_hub(tmp_path / "hub", TOKENS) as hub:
        yield hub


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset in two configs, with something binary beside it."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    (folder / "notes.txt").write_text("first\n", encoding="utf-8")
    (folder / "empty.bin").touch()
    for config, rows in ROWS.items():
        (folder / config).mkdir()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / config / "train.parquet")
    safetensors.numpy.save_file({"weight": arange(6.0)}, folder / "tiny.safetensors")
    return folder


@pytest.fixture(scope="module")
def filled(words: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LoopbackHub, dict[str, Any]]]:
    """A Hub with the dataset on it, and what the client said that brought it there."""
    with loopback_hub(tmp_path_factory.mktemp("filled")) as hub:
        yield hub, client(hub, UPLOAD, str(words))


def content(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_bytes().hex() for path in folder.rglob("*") if path.is_file()}


def test_an_upload_makes_one_commit_and_its_repetition_none(filled: tuple[LoopbackHub, dict[str, Any]], words: Path) -> None:
    hub, said = filled
    assert said["url"] == said["again"] == f"{hub.url}/datasets/someone/words"
    assert said["commits"][0] == said["commits"][1] == said["history"][0]
    assert len(said["history"]) == 2
    assert sorted(said["files"]) == sorted([".gitattributes", *content(words)])
    assert said["name"] == "someone"
    assert sum(path.endswith("/commit/main") for _, path in hub.requests) == 1
    assert sum(method == "PUT" for method, _ in hub.requests) == 3
    assert hub.unknown == []


def test_downloads_are_whole_and_cached_by_etag(words: Path, hub: LoopbackHub) -> None:
    client(hub, UPLOAD, str(words))
    hub.requests.clear()
    said = client(hub, DOWNLOAD)
    parquet = [method for method, path in hub.requests if path == "/datasets/someone/words/resolve/main/kor/train.parquet"]
    assert parquet == ["HEAD", "GET", "HEAD", "HEAD"]
    assert (said["snapshots"], said["blobs"]) == (2, 1)
    assert {path: data for path, data in said["tagged"].items() if path != ".gitattributes"} == content(words)
    assert said["notes"] == "changed"
    assert said["exists"] == [True, False]
    assert said["missing"] == ["RemoteEntryNotFoundError", "RevisionNotFoundError", "RepositoryNotFoundError"]
    assert {path for path, (_, sha) in said["lfs"].items() if sha} == {"kor/train.parquet", "sin/train.parquet", "tiny.safetensors"}
    assert {path: size for path, (size, _) in said["lfs"].items() if path != ".gitattributes"} == {
        path: len(data) // 2 for path, data in content(words).items()
    }
    assert {path for path, kind in said["tree"].items() if kind == "RepoFolder"} == {"kor", "sin"}
    assert said["paths"] == ["kor", "README.md"]
    assert hub.unknown == []


def test_datasets_load_by_config_streamed_and_by_tag(filled: tuple[LoopbackHub, dict[str, Any]]) -> None:
    hub, _ = filled
    said = client(hub, DATASET)
    for config, rows in ROWS.items():
        assert said[config] == said[f"{config} streamed"] == rows
    assert said["v1"] == ROWS["kor"]
    assert hub.unknown == []


def test_a_model_and_its_tokenizer_load(hub: LoopbackHub, tmp_path: Path) -> None:
    said = client(hub, MODEL, str(tmp_path / "model"))
    assert said == {"ids": [0, 4, 5, 3, 2], "same": True}
    assert hub.unknown == []


def test_branches_tags_settings_collections_and_deletion(hub: LoopbackHub) -> None:
    said = client(hub, CHANGES)
    assert said["sdk"] == "gradio"
    assert said["main"] == [".gitattributes", "README.md"]
    assert said["draft"] == said["tag"] == [".gitattributes", "README.md", "two.py"]
    assert said["refs"] == [["draft", "main"], ["v1"]]
    assert said["private"] is True
    assert said["collections"] == [[True, [["someone/space", "the demo"]]]]
    assert said["exists"] == [False, 0]
    assert hub.state() == {}
    assert hub.unknown == []


def test_two_hubs_given_the_same_hold_the_same(filled: tuple[LoopbackHub, dict[str, Any]], words: Path, hub: LoopbackHub) -> None:
    other, said = filled
    assert client(hub, UPLOAD, str(words))["commits"] == said["commits"]
    assert hub.state() == other.state()
    assert len(hub.state()) == len([".gitattributes", *content(words), "repo.json"])


def test_a_wrong_hash_is_refused(hub: LoopbackHub) -> None:
    error = client(hub, WRONG_HASH)["error"]
    assert f"The SHA-256 of the object is not {'0' * 64}" in error
    assert "train.parquet" in error
    assert not [path for path in hub.state() if path.endswith("0" * 64)]
    assert not [path for _, path in hub.requests if "/commit/" in path]


def test_an_upload_address_serves_its_object_only(hub: LoopbackHub) -> None:
    client(hub, 'api.create_repo("someone/words", repo_type="dataset")')
    batch = {"operation": "upload", "transfers": ["basic"], "hash_algo": "sha256", "objects": [{"oid": "0" * 64, "size": 3}]}
    status, _, body = ask(hub, "POST", "/datasets/someone/words.git/info/lfs/objects/batch", json.dumps(batch).encode())
    assert status == 200
    address = json.loads(body)["objects"][0]["actions"]["upload"]["href"].removeprefix(hub.url)
    before = hub.state()
    assert ask(hub, "PUT", address, b"four", None)[:2] == (400, "The size of the object is 4, announced were 3")
    assert ask(hub, "PUT", address, b"two", None)[:2] == (400, f"The SHA-256 of the object is not {'0' * 64}")
    assert ask(hub, "PUT", address.replace("size=3", "size=4"), b"four", None)[0] == 403
    assert hub.state() == before


def test_a_commit_is_all_or_nothing(hub: LoopbackHub) -> None:
    client(hub, 'api.create_repo("someone/words", repo_type="dataset")')
    before = hub.state()
    good = ("file", {"path": "good.txt", "encoding": "base64", "content": "Z29vZA=="})
    missing = ("lfsFile", {"path": "kor/train.parquet", "algo": "sha256", "oid": "1" * 64, "size": 5})
    assert commit(hub, good, missing)[:2] == (400, f"kor/train.parquet points to an LFS object that was never uploaded: {'1' * 64}")
    assert commit(hub, good, ("deletedFile", {"path": "none.txt"}))[:2] == (404, "A file with this name doesn't exist: none.txt")
    assert commit(hub, good, ("file", {"path": "../up", "encoding": "base64", "content": ""}))[0] == 400
    assert commit(hub, good, ("file", {"path": "good.txt/below", "encoding": "base64", "content": ""}))[0] == 400
    assert commit(hub, good, ("file", {"path": "a.parquet", "encoding": "base64", "content": "Z29vZA=="}))[0] == 400
    assert commit(hub, good, ("file", {"path": "README.md", "encoding": "base64", "content": "LS0tCmxpY2Vuc2U6IG1pbmUKLS0tCg=="}))[0] == 400
    assert commit(hub, good, parentCommit="0" * 40)[0] == 412
    assert hub.state() == before
    head = json.loads(commit(hub, good)[2])["commitOid"]
    assert json.loads(commit(hub, good)[2])["commitOid"] == head
    assert len(json.loads(ask(hub, "GET", "/api/datasets/someone/words/commits/main")[2])) == 2


def test_a_client_that_dies_in_the_middle_changes_nothing(hub: LoopbackHub) -> None:
    client(hub, 'api.create_repo("someone/words", repo_type="dataset")')
    before = hub.state()
    host, port = hub.url.removeprefix("http://").split(":")
    for length in ("Content-Length: 1000", "Transfer-Encoding: chunked"):
        with socket.create_connection((host, int(port))) as connection:
            lines = ["POST /api/datasets/someone/words/commit/main HTTP/1.1", "Authorization: Bearer hf_test", length, "", '{"key": "header"']
            connection.sendall("\r\n".join(lines).encode())
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
    assert hub.state() == before
    assert hub.unknown == []
    assert ask(hub, "GET", "/api/datasets/someone/words")[0] == 200


def test_what_is_not_played_is_recorded(hub: LoopbackHub) -> None:
    assert ask(hub, "GET", "/api/papers/search?q=x")[0] == 501
    client(hub, 'api.create_repo("someone/words", repo_type="dataset")')
    assert ask(hub, "GET", "/api/datasets/someone/words?full=1")[0] == 501
    assert commit(hub, ("movedFile", {"path": "x"}))[0] == 501
    assert hub.unknown == [
        "GET /api/papers/search: no such call",
        "GET /api/datasets/someone/words: query full",
        "POST /api/datasets/someone/words/commit/main: commit with movedFile",
    ]
    assert ("GET", "/api/papers/search") in hub.requests


def test_a_missing_right_is_named(hub: LoopbackHub) -> None:
    said = client(hub, RIGHTS)
    assert '403 Forbidden: You don\'t have the rights to create a model under the namespace "another"' in said["namespace"]
    assert 'under the namespace "club" (your role there is "read")' in said["club"]
    assert 'must use a token with the "write" role to create a model' in said["reader"]
    assert "401" in said["unknown"]
    assert "Invalid credentials in Authorization header" in said["unknown"]
    assert "Invalid username or password." in said["none"]
    assert "Invalid user token" in said["whoami"]
    assert said["private"].startswith("RepositoryNotFoundError 404")
    assert list(hub.state()) == [path for path in hub.state() if path.startswith("models/lab/secret/")]


def test_ranges(filled: tuple[LoopbackHub, dict[str, Any]], words: Path) -> None:
    hub, _ = filled
    path, whole = "/datasets/someone/words/resolve/v1/kor/train.parquet", (words / "kor" / "train.parquet").read_bytes()
    for wanted, part in (("bytes=0-3", whole[:4]), ("bytes=10-", whole[10:]), ("bytes=-4", whole[-4:]), ("bytes=5-999999", whole[5:])):
        assert ask(hub, "GET", path, Range=wanted)[::2] == (206, part)
    assert ask(hub, "GET", path, Range=f"bytes={len(whole)}-")[0] == 416


def test_bad_cards_are_refused() -> None:
    assert check(CARD, "dataset") == ([], [])
    assert check("# no metadata", "model") == ([], ["empty or missing yaml metadata in repo card"])
    for front, word in (("license: mine", '"license"'), ("language: [english]", '"language"'), ("a: [", "YAML"), ("tags: one", '"tags"')):
        assert word in "".join(check(f"---\n{front}\n---\n", "model")[0])
    assert check("---\nlicense: mit\nmodel-index: [{name: x, results: [{task: {type: t}}]}]\n---\n", "model")[0] == [
        '"model-index[0].results[0].dataset.type" is required',
        '"model-index[0].results[0].dataset.name" is required',
        '"model-index[0].results[0].metrics" is required',
    ]
    assert check("---\nlicense: mit\nsdk: flask\ncolorFrom: mauve\n---\n", "space")[0][0].startswith('"sdk" must be one of')


def test_a_fault_is_what_it_says() -> None:
    with pytest.raises(ValueError, match="no such fault"):
        Fault(1, "flood")
    with pytest.raises(ValueError, match="no such fault"):
        Fault(0, "cut")


@pytest.mark.parametrize("kind", KINDS)
def test_the_client_repeats_an_upload_that_failed(filled: tuple[LoopbackHub, dict[str, Any]], words: Path, hub: LoopbackHub, kind: str) -> None:
    fault = _meet(hub, kind, filled[0], "PUT", "/lfs/")
    assert client(hub, FAULTY, str(words))["outcomes"] == ["done", "done"]
    assert hub.fail is None
    assert fault.hit is not None
    assert fault.hit[0] == "PUT"
    assert hub.requests.count(fault.hit) == 2
    _same_but_for_the_tag(hub, filled[0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_client_gives_up_on_a_commit_that_failed(filled: tuple[LoopbackHub, dict[str, Any]], words: Path, hub: LoopbackHub, kind: str) -> None:
    fault = _meet(hub, kind, filled[0], "POST", "/commit/main")
    first = "HfHubHTTPError" if kind.isdigit() else "RemoteProtocolError"
    assert client(hub, FAULTY, str(words))["outcomes"] == [first, "done"]
    assert fault.hit == ("POST", "/api/datasets/someone/words/commit/main")
    assert hub.requests.count(fault.hit) == (1 if kind == "cut-after" else 2)
    _same_but_for_the_tag(hub, filled[0])


def _meet(hub: LoopbackHub, kind: str, undisturbed: LoopbackHub, method: str, part: str) -> Fault:
    """A fault that awaits the first request of a kind; the second `create_repo` of the other Hub does not count."""
    requests = undisturbed.requests[1:]
    fault = Fault(1 + next(i for i, (verb, path) in enumerate(requests) if verb == method and part in path), kind, seconds=0.2)
    hub.fail = fault
    return fault


def _same_but_for_the_tag(hub: LoopbackHub, undisturbed: LoopbackHub) -> None:
    ask(hub, "POST", "/api/datasets/someone/words/tag/main", b'{"tag": "v1"}')
    assert hub.state() == undisturbed.state()
    assert hub.unknown == []
