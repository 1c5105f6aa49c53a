"""A tagger as one folder of merged weights, which this kit and stock `transformers` load, and that folder as a repo on the Hub."""

from __future__ import annotations

import shutil
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from conlipa.atomic_files import atomic_folder, write_json, write_text
from conlipa.errors import ConlipaError
from conlipa.hub import card_of, first_line, need_hub, transport_error
from conlipa.modeling.inference.lexicon import WORDS_FILE
from conlipa.modeling.inference.loading import CALIBRATION_FILE
from conlipa.modeling.records import RECORD, fitted_to, read_json, trained_on

_OF_A_TAGGER = [CALIBRATION_FILE, WORDS_FILE, RECORD, "model.onnx", "adapter_*"]
"""Files of the tagger that was in the repo before: what the new one lacks of them must not stay."""
_CARD = """---
library_name: conlipa
{license}pipeline_tag: token-classification
tags: [conlipa, named-entity-recognition, phonemes]
---

A tagger of [conlipa](https://pypi.org/project/conlipa/): `conlipa.Tagger.from_pretrained("{name}")`. It reads phonemes, not letters.
"""


def save(model: str, adapter: str | None, folder: Path, name: str = "") -> None:
    """Write the weights (an adapter merged into them) in float32, with configuration, tokenizer, temperature and a card.

    Args:
        folder: a new or empty one.
        name: what the card calls it by (default: the folder's name).

    Raises:
        ConlipaError: an ONNX file, which holds no such weights; a folder with something in it, or one that cannot be written.
    """
    if model.endswith(".onnx"):
        raise ConlipaError(f"{model}: an ONNX file is a tagger already, and has no weights to save; copy it")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConlipaError(f"{folder}: exists already; name a new folder")
    from conlipa.modeling.encoder import load_adapted, save_tagger  # by torch, which a tagger from an ONNX file does without

    loaded, tokenizer = load_adapted(model, adapter)
    with atomic_folder(folder) as beside:
        save_tagger(loaded, tokenizer, beside)
        for fitted in (Path(adapter or model) / name for name in (CALIBRATION_FILE, WORDS_FILE)):
            if fitted.is_file():
                shutil.copy(fitted, beside)
        record, seen = Path(model) / RECORD, {"languages": trained_on(model, adapter), "fitted_to": fitted_to(model, adapter)}
        if record.is_file() or any(seen.values()):
            write_json({**(read_json(record) if record.is_file() else {}), **seen}, beside / RECORD)
        licence = license_of(Path(model))
        write_text(_CARD.format(name=name or folder.name, license=f"license: {licence}\n" if licence else ""), beside / "README.md")


def license_of(model: Path) -> str | None:
    """The licence that a model's own card names, which holds for what is made from it."""
    card = card_of(model)
    return card.license if card and isinstance(card.license, str) else None


def push(model: str, adapter: str | None, repo: str, private: bool = False, token: str | None = None) -> str:
    """`save` into a repo on the Hub, in one commit; gives the commit's URL. A card that the repo has already stays as it is.

    Raises:
        ConlipaError: no Hub, a name that it does not allow, or it refuses.
    """
    need_hub(repo)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    api = HfApi(token=token, library_name="conlipa", library_version=version("conlipa"))
    with TemporaryDirectory() as folder:
        made = Path(folder) / "tagger"
        save(model, adapter, made, repo)
        try:
            api.create_repo(repo, private=private, exist_ok=True)
            if private and not api.model_info(repo).private:  # `create_repo` leaves one that is there as it is
                api.update_repo_settings(repo, private=True)
            kept = ["README.md"] if api.file_exists(repo, "README.md") else []
            upload = partial(api.upload_folder, repo_id=repo, folder_path=made, commit_message="Upload a tagger")
            return str(upload(delete_patterns=_OF_A_TAGGER, ignore_patterns=kept).commit_url)
        except (HfHubHTTPError, transport_error(), HFValidationError, OSError) as error:
            raise ConlipaError(f"{repo}: could not be pushed ({first_line(error)})") from error
