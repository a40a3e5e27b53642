"""Each key of manifests and catalogs, changed: the diff shows it, or the page of changes says why not.

The keys are those of dbt's schemas, listed by scripts/build_dbt_keys.py, and those of real manifests.
"""

from __future__ import annotations

import copy
import gzip
import json
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec.structs import replace

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.extractors.git import GitState
from recce_meta.extractors.manifest_keys import IGNORED, IGNORED_OF_COLUMNS
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project, RunDiff

ROOT = Path(__file__).parents[3]
ARTIFACTS = ROOT / "tests" / "data" / "artifacts"
KEYS = ROOT / "tests" / "data" / "dbt_keys.tsv"
SECTIONS = (
    "nodes sources exposures metrics semantic_models saved_queries unit_tests functions groups macros".split()
)
ABSENT = object()
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


def read(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    found: dict[str, Any] = msgspec.json.decode(gzip.decompress(data) if path.suffix == ".gz" else data)
    return found


loaded = cache(read)
"""Only of hosts: a process would keep every manifest."""


@cache
def hosts() -> dict[str, Host]:
    """The node of each resource type and major version that has the most values."""
    best: dict[str, tuple[int, Host]] = {}
    for path in sorted(ARTIFACTS.rglob("manifest.json*")):
        manifest = read(path)
        version = manifest["metadata"]["dbt_schema_version"].rsplit("/", 1)[-1].removesuffix(".json")
        for section in SECTIONS:
            for unique_id, node in (manifest.get(section) or {}).items():
                kind = kind_of(unique_id, node)
                score = sum(map(bool, node.values())) + 5 * bool(node.get("columns"))
                if section == "macros" and not users(manifest, unique_id):
                    continue
                if score > best.get(f"{kind} {version}", (0,))[0]:
                    best[f"{kind} {version}"] = score, Host(path, section, unique_id)
    return {kind: host for kind, (_, host) in sorted(best.items())}


def kind_of(unique_id: str, node: dict[str, Any]) -> str:
    kind = unique_id.split(".", 1)[0]
    return kind if kind != "test" else f"{'generic' if node.get('test_metadata') else 'singular'} test"


def users(manifest: dict[str, Any], macro: str) -> dict[str, Any]:
    """Return the nodes that call a macro of a project, without the compiled code that shows what it does."""
    found = {}
    for unique_id, node in manifest["nodes"].items() if not macro.startswith("macro.dbt") else ():
        if macro in (node.get("depends_on") or {}).get("macros", ()):
            found[unique_id] = {key: value for key, value in node.items() if "compiled" not in key}
    return found


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
    """Return a manifest of the node alone, with *value* at *path*; ABSENT removes the key."""
    manifest = loaded(host.manifest)
    node = copy.deepcopy(manifest[host.section][host.unique_id])
    empty: dict[str, Any] = {"metadata": manifest["metadata"], "nodes": {}, "macros": {}}
    if host.section == "macros":
        empty["nodes"] = users(manifest, host.unique_id)
    put(node, path, value)
    return {**empty, host.section: {host.unique_id: node}}


def put(node: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set *value* at *path* of *node*, after creating what is missing."""
    at: Any = node
    for key, following in pairwise(path):
        if isinstance(at, list):
            at[:] = at or [{"name": "probe"}]
            at = at[0 if key == "[]" else int(key)]
        else:
            name = next(iter(at), "probe") if key == "*" else key
            shape = list if following == "[]" else dict
            missing = {"name": name} if at is node.get("columns") else shape()
            at[name] = at[name] if at.get(name) and isinstance(at[name], (list, dict)) else missing
            at = at[name]
    if value is ABSENT:
        at.pop(path[-1], None)
    else:
        at[path[-1]] = value


def diff(
    base: dict[str, Any], current: dict[str, Any], folder: Path, catalogs: tuple[Any, Any] = (None, None)
) -> RunDiff:
    sides = [
        extracted(folder, msgspec.json.encode(manifest), catalog and msgspec.json.encode(catalog))
        for manifest, catalog in zip((base, current), catalogs, strict=True)
    ]
    return whole_diff(sides[0], sides[1], NOTHING_MORE)


@lru_cache(maxsize=4)  # most tests compare one base with many edits
def extracted(folder: Path, manifest: bytes, catalog: bytes | None) -> Project:
    for name, content in (("manifest.json", manifest), ("catalog.json", catalog)):
        # A file system may write the old content to the disk before it truncates a file.
        (folder / name).unlink(missing_ok=True)
        if content is not None:
            (folder / name).write_bytes(content)
    return extract_project(folder, git=GitState(), hash_seed_files=False)


class Reason(NamedTuple):
    """A key that is not compared, with all keys below it."""

    path: tuple[str, ...]
    kinds: frozenset[str]
    """Resource types; empty for every type."""


@cache
def reasons() -> tuple[Reason, ...]:
    """The keys that the reference lists as not compared."""
    page = (ROOT / "docs" / "reference" / "compared-keys.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    return tuple(
        Reason(tuple(key.split(".")), frozenset(kinds.replace("every type", "").split(", ")) - {""})
        for keys, kinds, _ in rows
        for key in re.findall(r"`([^`]+)`", keys)
    )


def is_documented(kind: str, path: tuple[str, ...]) -> bool:
    """Return True if the page gives a reason for a key that is not compared."""
    plain = [part for part in path if part != "[]" and not part.isdigit()]
    return any(
        (not one.kinds or kind in one.kinds)
        and len(one.path) <= len(plain)
        and all(known in (part, "*") for known, part in zip(one.path, plain, strict=False))
        for one in reasons()
    )


class SchemaKey(NamedTuple):
    """A key of dbt's schemas, and two values."""

    path: tuple[str, ...]
    values: tuple[Any, Any]
    newest: int
    """Newest version of the manifest that has it."""


def schema_keys() -> dict[str, list[SchemaKey]]:
    """The keys of each resource type."""
    found: dict[str, list[SchemaKey]] = {}
    for line in KEYS.read_text(encoding="utf-8").splitlines():
        path, values, kinds = line.split("\t")
        for kind, versions in (one.rsplit(" ", 1) for one in kinds.split(", ")):
            newest = int(versions.rpartition("v")[2])
            found.setdefault(kind, []).append(SchemaKey(tuple(path.split(".")), json.loads(values), newest))
    return found


SCHEMA_KEYS = schema_keys()
NOT_HOSTED = ("doc", "catalog")
"""`doc`: no code reads these entries. `catalog`: a test of its own."""


def nearest_host(kind: str, newest: int) -> Host:
    """Return the host of the version nearest to *newest*, of which v20 is not one."""
    numbers = [int(name.rpartition(" v")[2]) for name in hosts() if name.startswith(f"{kind} v")]
    return hosts()[f"{kind} v{min((one for one in numbers if one <= 12), key=lambda one: abs(one - newest))}"]


def edited(kind: str, key: SchemaKey, value: Any, *, enforced: bool = False) -> dict[str, Any]:
    """Return a manifest with *value* for *key*; a model stands in for a function, which no manifest has."""
    host = nearest_host("model" if kind == "function" else kind, key.newest)
    manifest = with_value(host, key.path, value)
    node = manifest[host.section][host.unique_id]
    if kind == "function":
        manifest["functions"] = {"function.x.f": {**node, "resource_type": "function"}}
        manifest["nodes"] = {}
    if enforced:
        node["contract"] = {"enforced": True, "alias_types": True, **(node.get("contract") or {})}
        node["contract"]["enforced"] = key.path != ("contract", "enforced") or value
    return manifest


@pytest.mark.cases(9)
@pytest.mark.parametrize("kind", [*(one for one in SCHEMA_KEYS if one not in NOT_HOSTED), "model, enforced"])
def test_no_key_of_dbts_schemas_changes_silently_without_a_documented_reason(
    kind: str, tmp_path: Path
) -> None:
    name, _, enforced = kind.partition(", ")
    of_contracts = ("contract", "columns", "constraints")
    silent = []
    for key in SCHEMA_KEYS[name]:
        if is_documented(name, key.path) or (enforced and key.path[0] not in of_contracts):
            continue
        # An absent key equals its default, which may be one of the values.
        for pairs in ([key.values], [(ABSENT, value) for value in key.values]):
            sides = [
                [edited(name, key, value, enforced=bool(enforced)) for value in values] for values in pairs
            ]
            if not any(base == current or diff(base, current, tmp_path).changes for base, current in sides):
                silent.append((".".join(key.path), pairs))
    assert silent == []


def test_no_key_of_catalogs_changes_silently_without_a_documented_reason(tmp_path: Path) -> None:
    host = hosts()["model v12"]
    manifest = with_value(host, ("description",), "")
    node = manifest[host.section][host.unique_id]
    places = {key: node[key] for key in ("database", "schema")} | {"name": node["alias"], "type": "table"}
    column = {"name": "a", "type": "int", "index": 1, "comment": "c"}
    between = {"name": "b", "type": "int", "index": 7.5}
    columns = {"a": column, "b": between}
    table = {"unique_id": host.unique_id, "metadata": places, "columns": columns, "stats": {}}
    silent = []
    for key in SCHEMA_KEYS["catalog"]:
        if is_documented("catalog", key.path):
            continue
        sides = []
        for value in key.values:
            entry = copy.deepcopy(table)
            put(entry, key.path, value)
            header = {
                **manifest["metadata"],
                "dbt_schema_version": "https://schemas.getdbt.com/dbt/catalog/v1.json",
            }
            sides.append({"metadata": header, "nodes": {host.unique_id: entry}, "sources": {}})
        if not diff(manifest, manifest, tmp_path, (sides[0], sides[1])).changes:
            silent.append(".".join(key.path))
    assert silent == []


@pytest.mark.cases(2)
@pytest.mark.parametrize("part", range(8))
def test_no_key_of_manifests_changes_silently_without_a_documented_reason(part: int, tmp_path: Path) -> None:
    silent = []
    for kind, host in list(hosts().items())[part::8]:
        node = loaded(host.manifest)[host.section][host.unique_id]
        for path in dict.fromkeys(paths(node)):
            value: Any = node
            for key in path:
                value = value[int(key)] if isinstance(value, list) else value[key]
            changed = other(value)
            is_folder = "+" in str(path) or (isinstance(value, dict) and any("+" in key for key in value))
            if changed is None or is_folder or is_documented(kind.rpartition(" ")[0], path):
                continue
            if not diff(with_value(host, path, value), with_value(host, path, changed), tmp_path).changes:
                silent.append((kind, ".".join(path)))
    assert silent == []


@pytest.mark.parametrize("kind", ["model", "source", "seed"])
def test_a_key_that_is_not_known_is_named_and_its_effect_unknown(kind: str, tmp_path: Path) -> None:
    found = [host for name, host in hosts().items() if name.split()[0] == kind]
    assert found
    for host, (path, value) in product(found, UNKNOWN.items()):
        base, current = (with_value(host, path, one) for one in (None, value))
        (change,) = diff(base, current, tmp_path).changed
        named = ".".join(path).removeprefix("config.")
        assert any(detail.key.startswith(named) or named.startswith(detail.key) for detail in change.details)
        assert change.category == "unknown"


@pytest.mark.parametrize("key", ["classifiers", "columns", "new_key"])
def test_a_key_of_a_definition_that_is_not_known_is_named(key: str, tmp_path: Path) -> None:
    base, current = (with_value(hosts()["unit_test v12"], (key,), one) for one in (ABSENT, {"a": {"b": "c"}}))
    (change,) = diff(base, current, tmp_path).changed
    assert [detail.key.split(".")[0] for detail in change.details] == [key]


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
        base, current = (with_value(hosts()[kind], path, one) for one in (before, after))
        if before is None:
            del base["nodes"][hosts()[kind].unique_id]["columns"]["new"]
        (change,) = diff(base, current, tmp_path).changes
        assert key in [detail.key for detail in change.details] or key == "docs.show"


def test_a_recorder_that_did_not_read_a_key_shows_no_change(tmp_path: Path) -> None:
    host = hosts()["model v12"]
    (tmp_path / "manifest.json").write_text(
        json.dumps(with_value(host, ("columns", "id", "policy_tags"), ["p"])), encoding="utf-8"
    )
    new = extract_project(tmp_path, git=GitState(), hash_seed_files=False)
    plain = [replace(node, properties={**node.properties, "columns": {}}) for node in new.nodes]
    for version, changed in (("0.1.0", 0), (new.run.recorder_version, 1)):
        old = replace(new, run=replace(new.run, recorder_version=version), nodes=tuple(plain))
        assert len(whole_diff(old, new, NOTHING_MORE).changed) == changed


def test_each_ignored_key_has_a_documented_reason() -> None:
    assert all(any(is_documented(kind, (key,)) for kind in SCHEMA_KEYS) for key in IGNORED)
    assert all(is_documented("model", ("columns", "*", key)) for key in IGNORED_OF_COLUMNS)
