"""The check of a README's metadata."""

from __future__ import annotations

import re
from typing import Any

import yaml

_LICENSES = (
    "afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bigscience-openrail-m bsd bsd-2-clause bsd-3-clause bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0 "
    "cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-4.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 "
    "cc0-1.0 cdla-permissive-2.0 creativeml-openrail-m ecl-2.0 epl-2.0 eupl-1.1 eupl-1.2 gemma gfdl gpl gpl-2.0 gpl-3.0 isc lgpl lgpl-3.0 llama3 "
    "mit mpl-2.0 ms-pl odbl odc-by ofl-1.1 openrail openrail++ osl-3.0 other pddl postgresql unknown unlicense wtfpl zlib"
)
LICENSES = frozenset(_LICENSES.split())
COLORS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
SDKS = ("gradio", "docker", "static", "streamlit")
_FRONT = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_LANGUAGE = re.compile(r"[a-z]{2,3}|multilingual|code")


def metadata(content: str) -> dict[str, Any]:
    """The YAML between the dashes, {} without any.

    Raises:
        ValueError: no mapping, or no YAML.
    """
    front = _FRONT.match(content)
    if front is None:
        return {}
    try:
        data = yaml.safe_load(front.group(1))
    except yaml.YAMLError as error:
        raise ValueError(f"YAML Metadata Error: {str(error).splitlines()[0]}") from error
    if not isinstance(data, dict):
        raise ValueError("YAML Metadata Error: the metadata is no mapping")
    return data


def check(content: str, kind: str) -> tuple[list[str], list[str]]:
    """Errors and warnings of a card."""
    try:
        data = metadata(content)
    except ValueError as error:
        return [str(error)], []
    if not data:
        return [], ["empty or missing yaml metadata in repo card"]
    errors = [
        f'"{key}" must be a string or an array of strings'
        for key in ("license", "language", "base_model", "datasets", "metrics", "tags")
        if not all(isinstance(item, str) for item in _several(data.get(key)))
    ]
    errors += [f'"{key}" must be an array' for key in ("tags", "configs") if not isinstance(data.get(key, []), list)]
    errors += [f'"license" must be one of [{", ".join(sorted(LICENSES))}]' for item in _several(data.get("license")) if item not in LICENSES]
    errors += [f'"language" must be an ISO 639 code, not "{item}"' for item in _several(data.get("language")) if not _LANGUAGE.fullmatch(str(item))]
    errors += {"model": _model, "dataset": _dataset, "space": _space}[kind](data)
    return errors, [] if data.get("license") else ['"license" is missing']


def _several(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _model(data: dict[str, Any]) -> list[str]:
    errors = []
    index = data.get("model-index", [])
    if not isinstance(index, list):
        return ['"model-index" must be an array']
    for i, model in enumerate(index):
        errors += [f'"model-index[{i}].{key}" is required' for key in ("name", "results") if not model.get(key)]
        for j, result in enumerate(model.get("results") or []):
            at = f"model-index[{i}].results[{j}]"
            wanted = [("task", "type"), ("dataset", "type"), ("dataset", "name")]
            errors += [f'"{at}.{part}.{key}" is required' for part, key in wanted if not (result.get(part) or {}).get(key)]
            errors += [] if result.get("metrics") else [f'"{at}.metrics" is required']
            for k, metric in enumerate(result.get("metrics") or []):
                errors += [f'"{at}.metrics[{k}].{key}" is required' for key in ("type", "value") if metric.get(key) is None]
    return errors


def _dataset(data: dict[str, Any]) -> list[str]:
    configs = data.get("configs", [])
    if not isinstance(configs, list):
        return []
    return [f'"configs[{i}].config_name" is required' for i, config in enumerate(configs) if not config.get("config_name")]


def _space(data: dict[str, Any]) -> list[str]:
    errors = [f'"{key}" is required' for key in ("sdk",) if not data.get(key)]
    errors += [f'"sdk" must be one of [{", ".join(SDKS)}]'] if data.get("sdk", "gradio") not in SDKS else []
    errors += [f'"{key}" must be one of [{", ".join(COLORS)}]' for key in ("colorFrom", "colorTo") if data.get(key, "red") not in COLORS]
    errors += ['"short_description" must be at most 60 characters'] if len(str(data.get("short_description", ""))) > 60 else []
    return errors
