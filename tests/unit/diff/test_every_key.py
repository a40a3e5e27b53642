"""Each key of manifests, changed in a node: the diff shows it, or the page of changes says why not."""

from __future__ import annotations

import copy
import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.extractors.git import GitState
from recce_meta.extractors.manifest_keys import IGNORED, IGNORED_OF_COLUMNS
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project, RunDiff

ROOT = Path(__file__).parents[3]
ARTIFACTS = ROOT / "tests" / "data" / "artifacts"
SECTIONS = "nodes sources exposures metrics semantic_models saved_queries unit_tests functions".split()
FREE = frozenset("meta unrendered_config kwargs grants macros vars env_vars rows".split())
"""Objects whose keys users choose; one of them is enough."""
UNKNOWN: dict[tuple[str, ...], Any] = {
    ("new_key",): "x",
    ("columns", "id", "policy_tags"): ["p"],
    ("columns", "id", "databricks_tags"): {"a": 1},
    ("columns", "id", "column_mask"): {"function": "f"},
    ("columns", "id", "granularity"): "day",
    ("columns", "id", "config", "new_key"): "x",
    ("config", "new_key"): "x",
}
"""Keys that no manifest here has."""


class Host(NamedTuple):
    """A node with many values, and the manifest that has it."""

    manifest: Path
    section: str
    unique_id: str


@cache
def loaded(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    found: dict[str, Any] = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    return found


def hosts() -> dict[str, Host]:
    """The node of each resource type and major version that has the most values."""
    best: dict[str, tuple[int, Host]] = {}
    for path in sorted(ARTIFACTS.rglob("manifest.json*")):
        manifest = loaded(path)
        version = manifest["metadata"]["dbt_schema_version"].rsplit("/", 1)[-1].removesuffix(".json")
        for section in SECTIONS:
            for unique_id, node in (manifest.get(section) or {}).items():
                kind = unique_id.split(".", 1)[0]
                kind = f"{kind} {version}" + (" generic" if node.get("test_metadata") else "")
                score = sum(map(bool, node.values())) + 5 * bool(node.get("columns"))
                if score > best.get(kind, (0,))[0]:
                    best[kind] = score, Host(path, section, unique_id)
    return {kind: host for kind, (_, host) in sorted(best.items())}


HOSTS = hosts()


def paths(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each key with a value; of named or free members, that of the first."""
    if isinstance(value, dict) and len(path) < 6:
        members = list(value.items())
        if path and path[-1] in {*FREE, "columns"}:
            members = members[:1]
        for key, member in members:
            if member not in (None, {}, [], ""):
                yield (*path, key)
                yield from paths(member, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from paths(value[0], (*path, "0"))


def other(value: Any) -> Any:
    """Return another value of the same shape."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str):
        return f"{value}_x"
    if isinstance(value, list):
        return [*value, "x"] if isinstance(value[0], str) else value[1:]
    return {**value, "x": "y"} if value and all(isinstance(one, str) for one in value.values()) else None


def with_value(host: Host, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return a manifest of the node alone, with *value* at *path*."""
    manifest = loaded(host.manifest)
    node = copy.deepcopy(manifest[host.section][host.unique_id])
    at: Any = node
    for key in path[:-1]:
        if isinstance(at, list):
            at = at[int(key)]
        else:
            at[key] = at.get(key) or ({"name": key} if at is node.get("columns") else {})
            at = at[key]
    at[path[-1]] = value
    empty: dict[str, Any] = {"metadata": manifest["metadata"], "nodes": {}, "macros": {}}
    return {**empty, host.section: {host.unique_id: node}}


def diff(base: dict[str, Any], current: dict[str, Any], folder: Path) -> RunDiff:
    sides: list[Project] = []
    for manifest in (base, current):
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        sides.append(extract_project(folder, git=GitState(), hash_seed_files=False))
    return whole_diff(sides[0], sides[1], NOTHING_MORE)


@cache
def reasons() -> frozenset[str]:
    """The keys that the page of changes lists as not compared."""
    page = (ROOT / "docs" / "concepts" / "changes.md").read_text(encoding="utf-8")
    section = page.split("## Keys that are not compared", 1)[1].split("\n## ", 1)[0]
    return frozenset(re.findall(r"`([\w.-]+)`", section))


def is_documented(path: tuple[str, ...]) -> bool:
    plain = [part for part in path if not part.isdigit()]
    known = reasons()
    return any(
        ".".join(plain[start:end]) in known
        for start in range(len(plain))
        for end in range(start + 1, len(plain) + 1)
    )


@pytest.mark.parametrize("kind", HOSTS)
def test_no_key_changes_silently_without_a_documented_reason(kind: str, tmp_path: Path) -> None:
    host = HOSTS[kind]
    node = loaded(host.manifest)[host.section][host.unique_id]
    silent = []
    for path in dict.fromkeys(paths(node)):
        value: Any = node
        for key in path:
            value = value[int(key)] if isinstance(value, list) else value[key]
        changed = other(value)
        is_folder = "+" in str(path) or (isinstance(value, dict) and any("+" in key for key in value))
        of_operation = kind.startswith("operation") and path[0] in ("config", "tags")
        if changed is None or path[0] in ("unique_id", "package_name") or is_folder or of_operation:
            continue
        current = with_value(host, path, changed)
        if not diff(with_value(host, path, value), current, tmp_path).changes and not is_documented(path):
            silent.append(".".join(path))
    assert silent == []


@pytest.mark.parametrize("kind", [kind for kind in HOSTS if kind.split()[0] in ("model", "source", "seed")])
def test_a_key_that_is_not_known_is_named_and_its_effect_unknown(kind: str, tmp_path: Path) -> None:
    for path, value in UNKNOWN.items():
        base, current = (with_value(HOSTS[kind], path, one) for one in (None, value))
        (change,) = diff(base, current, tmp_path).changed
        named = ".".join(path).removeprefix("config.")
        assert any(detail.key.startswith(named) or named.startswith(detail.key) for detail in change.details)
        assert change.category == "unknown"


def test_hooks_contracts_exports_and_listed_columns_are_compared(tmp_path: Path) -> None:
    hooks = [{"sql": "select 1", "transaction": True}], [{"sql": "select 1", "transaction": False}]
    contracts = [{"enforced": True, "alias_types": value} for value in (True, False)]
    listed = {"name": "new", "tags": ["pii"]}
    for kind, path, before, after, key in (
        ("model v12", ("config", "post-hook"), *hooks, "post-hook"),
        ("model v12", ("contract",), *contracts, "alias_types"),
        ("model v11", ("columns", "new"), None, listed, "columns.new.tags"),
        ("model v11", ("columns", "new"), None, {"name": "new"}, "new"),
        ("model v5", ("docs",), {"show": True}, {"show": False}, "docs.show"),
        ("saved_query v12", ("config", "schema"), "a", "b", "schema"),
    ):
        base, current = (with_value(HOSTS[kind], path, one) for one in (before, after))
        if before is None:
            del base["nodes"][HOSTS[kind].unique_id]["columns"]["new"]
        (change,) = diff(base, current, tmp_path).changes
        assert key in [detail.key for detail in change.details] or key == "docs.show"


def test_a_recorder_that_did_not_read_a_key_shows_no_change(tmp_path: Path) -> None:
    host = HOSTS["model v12"]
    (tmp_path / "manifest.json").write_text(
        json.dumps(with_value(host, ("columns", "id", "policy_tags"), ["p"])), encoding="utf-8"
    )
    new = extract_project(tmp_path, git=GitState(), hash_seed_files=False)
    plain = [replace(node, properties={**node.properties, "columns": {}}) for node in new.nodes]
    for version, changed in (("0.1.0", 0), (new.run.recorder_version, 1)):
        old = replace(new, run=replace(new.run, recorder_version=version), nodes=tuple(plain))
        assert len(whole_diff(old, new, NOTHING_MORE).changed) == changed


def test_each_ignored_key_has_a_documented_reason() -> None:
    assert reasons() >= (IGNORED | IGNORED_OF_COLUMNS)
