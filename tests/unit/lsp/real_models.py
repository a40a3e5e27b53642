"""Models of real projects, from the public manifests of the tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

REAL = Path(__file__).parents[2] / "data" / "artifacts" / "real"
_DIALECTS = {"sqlserver": "tsql"}


class RealModel(NamedTuple):
    """One model, as written and as dbt compiled it."""

    unique_id: str
    dialect: str
    raw: str
    compiled: str | None
    relations: Mapping[str, str]
    """Names of the tables in the compiled SQL by `model`, `model.v2` or `source.table`."""


@cache
def real_models() -> tuple[RealModel, ...]:
    """Return every SQL model of the manifests, once for each text."""
    found: dict[str, RealModel] = {}
    for path in sorted(REAL.rglob("*manifest*.json*")):
        text = path.read_bytes()
        manifest = json.loads(gzip.decompress(text) if path.suffix == ".gz" else text)
        if not isinstance(manifest, dict) or "nodes" not in manifest:
            continue
        adapter = manifest.get("metadata", {}).get("adapter_type") or ""
        relations = _relations(manifest)
        for unique_id, node in manifest["nodes"].items():
            raw = node.get("raw_code") or node.get("raw_sql")
            is_model = node.get("resource_type") in ("model", "snapshot")
            if raw and is_model and node.get("language", "sql") == "sql" and raw not in found:
                compiled = node.get("compiled_code") or node.get("compiled_sql")
                dialect = _DIALECTS.get(adapter, adapter)
                found[raw] = RealModel(unique_id, dialect, raw, compiled, relations)
    return tuple(found.values())


def _relations(manifest: Mapping[str, Any]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for node in manifest["nodes"].values():
        name, version = node.get("name"), node.get("version")
        table = (node.get("alias") or name or "").lower()
        if version is not None:
            found[f"{name}.v{version}"] = table
        if version == node.get("latest_version"):
            found[name] = table
    for source in (manifest.get("sources") or {}).values():
        table = (source.get("identifier") or source["name"]).lower()
        found[f"{source['source_name']}.{source['name']}"] = table
    return found
