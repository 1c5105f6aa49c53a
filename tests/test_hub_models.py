"""A model on the Hub is used as a folder is: its languages, its weights' digest, its ONNX file, its temperature."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from conlipa.modeling.data.fingerprint import of_folder
from conlipa.modeling.inference.packaged import located, packaged
from tests.conftest import complaint, conlipa, run
from tests.hub import LoopbackHub, loopback_hub

NER, IPAC = packaged("mini")
REPOS = ["--model", "someone/mini-ner", "--adapter", "someone/mini-ipac"]
UPLOAD = f"""
from huggingface_hub import HfApi
api = HfApi()
for repo, folder in (("someone/mini-ner", {NER!r}), ("someone/mini-ipac", {IPAC!r})):
    api.create_repo(repo)
    api.upload_folder(repo_id=repo, folder_path=folder)
    api.create_tag(repo, tag="v1")
api.upload_file(repo_id="someone/mini-ipac", path_in_repo="calibration.json", path_or_fileobj=b'{{"temperature": 1000.0}}')
"""
TEXT = "Marie Curie was born in Warsaw .\n"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackHub]:
    """A Hub with `mini` on it, its tag v1 as it was packaged; on main its temperature is absurd."""
    with loopback_hub(tmp_path_factory.mktemp("hub")) as served:
        run("-c", UPLOAD, env=served.env())
        yield served


@pytest.fixture(scope="module")
def env(hub: LoopbackHub) -> dict[str, str]:
    """One client, so that each repo is fetched once."""
    return hub.env()


def test_evaluate_knows_what_it_was_trained_on(hub: LoopbackHub, env: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    shown = conlipa("evaluate", *REPOS, "--corpus", "sample", "--langs", "tgk,tur", "--json", str(out), env=env).stdout
    assert "| Turkish (tur) (source) |" in shown
    assert "| Tajik (tgk) |" in shown
    scores = json.loads(out.read_text(encoding="utf-8"))
    assert scores["sources"] == json.loads((Path(NER) / "training.json").read_text(encoding="utf-8"))["languages"]
    assert scores["average"] == {score: scores["languages"]["tgk"][score] for score in scores["average"]}
    assert hub.unknown == []


CONVERTED = """
import sys
from pathlib import Path
from huggingface_hub import HfApi
from conlipa.modeling.encoder import pretrained_encoder
from conlipa.modeling.recipe import Encoder
from conlipa.errors import ConlipaError
from tests.test_baselines import phoneme_bert
api, folder = HfApi(), Path(sys.argv[1])
phoneme_bert(folder)
api.create_repo("someone/phonebert")
(folder / "pytorch_model.bin").write_bytes(b"a pickle")
api.upload_folder(repo_id="someone/phonebert", folder_path=folder, ignore_patterns="*.safetensors")
api.create_branch("someone/phonebert", branch="converted")
api.upload_folder(repo_id="someone/phonebert", folder_path=folder, revision="converted")
try:
    pretrained_encoder(Encoder(repo="someone/phonebert"))
except ConlipaError as error:
    print(error)
model, tokenizer = pretrained_encoder(Encoder(repo="someone/phonebert", revision="converted"))
print(type(model).__name__, len(tokenizer("t ʃ ▁ ə")["input_ids"]))
"""


def test_an_encoder_is_taken_from_the_revision_that_has_safetensors(env: dict[str, str], tmp_path: Path) -> None:
    refused, loaded = run("-c", CONVERTED, str(tmp_path), env=env).stdout.splitlines()[-2:]
    assert refused.startswith("someone/phonebert: no encoder folder (model.safetensors is missing; a pickle is not loaded")
    assert "set encoder.revision" in refused
    assert loaded == "RobertaForTokenClassification 6"


def test_tag_takes_the_onnx_file_and_the_temperature_of_the_revision(env: dict[str, str]) -> None:
    def tagged(*more: str) -> list[dict[str, object]]:
        return json.loads(conlipa("tag", "--lang", "eng", *more, stdin=TEXT, env=env).stdout)["entities"]  # type: ignore[no-any-return]

    packaged_one = tagged()
    assert packaged_one
    assert tagged(*REPOS, "--revision", "v1", "--backend", "onnx") == packaged_one
    assert max(entity["score"] for entity in tagged(*REPOS)) < 0.2  # type: ignore[type-var]


def test_the_digest_is_that_of_the_weights_and_nothing_more_is_fetched(env: dict[str, str]) -> None:
    code = (
        "from conlipa.modeling.inference.packaged import located; from conlipa.modeling.data.fingerprint import of_folder; import json;"
        "folders = located('someone/mini-ner', 'someone/mini-ipac', 'v1');"
        "from pathlib import Path; print(json.dumps([*map(of_folder, folders), *(p.name for f in folders for p in Path(f).iterdir())]))"
    )
    ner, ipac, *names = json.loads(run("-c", code, env=env).stdout)
    assert [ner, ipac] == [of_folder(str(NER)), of_folder(str(IPAC))]
    assert {"training.json", "model.onnx", "config.json"} <= set(names)
    assert "README.md" in names  # the Space says what to expect of a language by the card
    assert "reliability.svg" not in names


def test_what_was_fetched_is_there_without_network(env: dict[str, str]) -> None:
    offline = {**env, "HF_HUB_OFFLINE": "1"}
    conlipa("tag", "--lang", "eng", *REPOS, "--revision", "v1", stdin=TEXT, env=env)
    assert "entities" in conlipa("tag", "--lang", "eng", *REPOS, "--revision", "v1", stdin=TEXT, env=offline).stdout
    assert "is a Hub repo, and HF_HUB_OFFLINE is set" in complaint("tag", "--lang", "eng", "--model", "someone/other", code=1, env=offline)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([*REPOS, "--revision", "v9"], 1, "someone/mini-ner: has no revision 'v9'"),
        (["--model", "someone/nothing"], 1, "someone/nothing: no such repo on the Hub, or it is private and not yours"),
        (["--model", "some one/mini"], 1, "some one/mini: neither a folder nor a name that the Hub allows"),
        (["--revision", "v1"], 2, "--revision v1: is for Hub repos"),
    ],
)
def test_what_cannot_be_had_is_told(env: dict[str, str], arguments: list[str], code: int, said: str) -> None:
    assert said in complaint("tag", "--lang", "eng", *arguments, code=code, env=env)


def test_a_folder_stays_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs" / "ner").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert located("runs/ner", "runs/ner") == ("runs/ner", "runs/ner")
