"""One project, built by every dbt from 1.0 to 2.0: the same nodes, edges and columns, field for field."""

from __future__ import annotations

import gzip
import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict

from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Column, EdgeOrigin, NodeMetadata

DATA = Path(__file__).parents[2] / "data" / "artifacts" / "generated"
VERSIONS = {
    "jaffle_ext_multi": [*(f"1.{minor}" for minor in range(13)), "2.0"],
    "jaffle_ext_full": ["1.6", "1.7", "1.8", "1.9", "1.10", "1.12", "2.0"],
}
PAIRS = [(name, *pair) for name, versions in VERSIONS.items() for pair in pairwise(versions)]
BUILDS = [(name, version) for name, versions in VERSIONS.items() for version in versions]

RELEASE_DEPENDENT = frozenset(
    ["config", "unrendered_config", "checksum", "checksum_rule", "macros", "contract"]
)
"""What each release of dbt spells in its own way: known keys and their defaults, hashes, its own macros."""

APPEARED = {
    # The project grows with what a version can express (overlays), and was patched for old versions.
    ("1.0", "1.1"): {"test.jaffle_ext.order_id_positive_custom_name.a9ec4bbd39"},
    ("1.2", "1.3"): {"model.jaffle_ext.py_orders"},
    ("1.4", "1.5"): {
        "model.jaffle_ext.dim_versioned.v1",
        "model.jaffle_ext.dim_versioned.v2",
        "model.jaffle_ext.private_model",
        "test.jaffle_ext.not_null_dim_versioned_v1_customer_id.1285bd8135",
        "test.jaffle_ext.not_null_dim_versioned_v2_customer_id.79a7afa761",
    },
    ("1.6", "1.7"): {"saved_query.jaffle_ext.monthly_revenue"},
    ("1.7", "1.8"): {"unit_test.jaffle_ext.stg_payments.ut_stg_payments_dollars"},
    ("1.8", "1.9"): {"snapshot.jaffle_ext.customers_yaml_snapshot"},
}
VANISHED = {
    ("1.0", "1.1"): {"test.jaffle_ext.positive_uses_ephemeral_order_id.2df947e453"},
    # dbt's Rust engine ignores the legacy YAML of the semantic layer.
    ("1.12", "2.0"): {
        "metric.jaffle_ext.aov",
        "metric.jaffle_ext.cum_revenue",
        "metric.jaffle_ext.orders_n",
        "metric.jaffle_ext.revenue",
        "saved_query.jaffle_ext.monthly_revenue",
        "semantic_model.jaffle_ext.orders_sm",
    },
}

ALL = "*"
PATCHED = "the project was patched for 1.0: a scalar unique_key"
NOT_BUILT = "not built by this version, so not in its catalog"
NEW_MACRO = "this version's macros write other SQL"
DIFFERENT: dict[tuple[str, str], dict[str, tuple[set[str], str]]] = {
    ("1.0", "1.1"): {
        "raw_code": ({"model.jaffle_ext.inc_events"}, PATCHED),
        "code_hash": ({"model.jaffle_ext.inc_events"}, PATCHED),
        "compiled_code": ({ALL}, NEW_MACRO),
    },
    ("1.1", "1.2"): {
        "compiled_code": ({"model.jaffle_ext.inc_events"}, "built twice in 1.1: its incremental branch"),
        "columns": (
            {"model.jaffle_ext.inc_events", "seed.jaffle_ext.big_seed", "source.jaffle_ext.ecom.events"},
            NOT_BUILT,
        ),
    },
    ("1.2", "1.3"): {
        "properties": ({"exposure.jaffle_ext.weekly_dashboard"}, "the label of exposures is new"),
        "relation_name": ({"model.jaffle_ext.broken_model"}, "1.3 leaves a failed model's unquoted"),
        "compiled_code": (
            {
                "model.jaffle_ext.after_broken",
                "model.jaffle_ext.broken_model",
                "model.jaffle_ext.inc_events",
                "model.jaffle_ext.uses_ephemeral",
                "test.*",
            },
            "quoting beside a Python model; the incremental branch",
        ),
        "columns": (
            {"model.jaffle_ext.inc_events", "seed.jaffle_ext.big_seed", "source.jaffle_ext.ecom.events"},
            NOT_BUILT,
        ),
    },
    ("1.3", "1.4"): {
        "database_name": ({ALL}, "dbt-duckdb names the database after its file"),
        "relation_name": ({ALL}, "dbt-duckdb names the database after its file"),
        "compiled_code": ({ALL}, "dbt-duckdb names the database after its file"),
    },
    ("1.4", "1.5"): {
        "access": ({ALL}, "access levels are new"),
        "compiled_code": (
            {
                "model.jaffle_ext.broken_model",
                "model.jaffle_ext.py_orders",
                "model.jaffle_ext.uses_ephemeral",
                "test.*",
            },
            NEW_MACRO,
        ),
        "columns": (
            {
                "model.jaffle_ext.customer_segments",
                "model.jaffle_ext.customers",
                "model.jaffle_ext.orders",
                "model.jaffle_ext.py_orders",
                "model.jaffle_ext.stg_payments",
                "model.jaffle_ext.uses_ephemeral",
            },
            "a newer DuckDB divides integers to DOUBLE; py_orders failed before",
        ),
    },
    ("1.5", "1.6"): {"compiled_code": ({"model.jaffle_ext.uses_ephemeral"}, "white space around the CTE")},
    ("1.6", "1.7"): {
        "properties": ({"metric.*"}, "members of type_params are new"),
    },
    ("1.7", "1.8"): {
        "columns": (
            {"model.jaffle_ext.dim_versioned.v1", "model.jaffle_ext.dim_versioned.v2"},
            "constraints gain `to` and `to_columns`",
        ),
        "properties": (
            {"model.jaffle_ext.private_model", "saved_query.jaffle_ext.monthly_revenue"},
            "1.7 drops a model's constraints; saved queries gain order_by and limit",
        ),
        "meta": (
            {"source.jaffle_ext.ecom.events", "source.jaffle_ext.ecom.orders"},
            "1.7 drops the meta of sources",
        ),
    },
    ("1.8", "1.9"): {
        "compiled_code": ({"model.jaffle_ext.py_orders"}, "dbt's own wrapper of Python models"),
        "properties": ({"source.*", "metric.*", "semantic_model.*", "saved_query.*"}, "new members"),
    },
    ("1.9", "1.10"): {"properties": ({"metric.*", "semantic_model.*"}, "new members")},
    ("1.10", "1.12"): {"properties": ({"metric.*", "semantic_model.*"}, "new members")},
    ("1.12", "2.0"): {
        "fqn": ({"analysis.jaffle_ext.adhoc"}, "without the folder"),
        "compiled_code": ({ALL}, "no compiled analyses; the ephemeral model is wrapped otherwise"),
        "columns": (
            {"model.*", "source.*", "test.jaffle_ext.assert_total"},
            "tags and meta of the node on its columns; stored failures not in the catalog",
        ),
        "properties": (
            {"model.*", "test.*", "source.*", "unit_test.*"},
            "null members, names of tests' files",
        ),
        "schema_name": ({"operation.*"}, "another placeholder"),
        "tags": ({"operation.*"}, "hooks have none"),
        "raw_code": ({"test.jaffle_ext.not_null_uses_ephemeral_order_id.932a5082c0"}, "without its config"),
        "code_hash": ({"test.jaffle_ext.not_null_uses_ephemeral_order_id.932a5082c0"}, "without its config"),
    },
}
"""Fields that differ between two neighbouring versions, on which nodes at most, and why."""


@cache
def nodes(name: str, version: str) -> dict[str, NodeMetadata]:
    folder = DATA / name / f"dbt_{version}"
    project = extract_project(folder, git=GitState(), hash_seed_files=False)
    return {node.unique_id: node for node in project.nodes}


def test_neighbouring_versions_know_the_same_nodes(subtests: pytest.Subtests) -> None:
    assert PAIRS
    for name, old, new in PAIRS:
        with subtests.test(name, old=old, new=new):
            before, after = nodes(name, old), nodes(name, new)
            assert after.keys() - before.keys() <= APPEARED.get((old, new), set())
            assert before.keys() - after.keys() <= VANISHED.get((old, new), set())


def test_neighbouring_versions_agree_field_for_field(subtests: pytest.Subtests) -> None:
    for name, old, new in PAIRS:
        with subtests.test(name, old=old, new=new):
            before, after = nodes(name, old), nodes(name, new)
            surprises = []
            for unique_id in before.keys() & after.keys():
                earlier = fields(before[unique_id])
                for field, value in fields(after[unique_id]).items():
                    if earlier[field] != value and not listed(field, unique_id, old, new):
                        surprises.append((unique_id, field, earlier[field], value))
            assert surprises == []


@pytest.mark.parametrize(("name", "old", "new"), [(name, v[0], v[-1]) for name, v in VERSIONS.items()])
def test_the_oldest_and_the_newest_version_yield_the_same_edges(name: str, old: str, new: str) -> None:
    before, after = nodes(name, old), nodes(name, new)
    for unique_id in before.keys() & after.keys():
        assert before[unique_id].parents == after[unique_id].parents


def test_edges_are_sources_where_the_manifest_says_so_and_else_refs(subtests: pytest.Subtests) -> None:
    assert BUILDS
    for name, version in BUILDS:
        with subtests.test(name, version=version):
            check_edges(name, version)


def check_edges(name: str, version: str) -> None:
    manifest = json.loads(gzip.decompress((DATA / name / f"dbt_{version}" / "manifest.json.gz").read_bytes()))
    entries = {
        unique_id: entry
        for part, members in manifest.items()
        if isinstance(members, dict) and part not in ("macros", "disabled")
        for unique_id, entry in members.items()
        if isinstance(entry, dict)
    }

    found = {unique_id: node.edge_origins for unique_id, node in nodes(name, version).items()}

    assert {unique_id: origins for unique_id, origins in found.items() if origins} == {
        unique_id: {
            parent: EdgeOrigin("source" if parent in manifest["sources"] else "ref") for parent in parents
        }
        for unique_id, entry in entries.items()
        if (parents := (entry.get("depends_on") or {}).get("nodes"))
    }
    for unique_id, entry in manifest["nodes"].items():
        names = [[*source] for source in entry.get("sources") or ()]
        assert {parent for parent, origin in found[unique_id].items() if origin.kind == "source"} == {
            one
            for one, source in manifest["sources"].items()
            if [source["source_name"], source["name"]] in names
        }


@pytest.mark.parametrize("name", VERSIONS)
def test_models_keep_code_descriptions_and_documented_columns_from_the_oldest_to_the_newest(
    name: str,
) -> None:
    *_, last = VERSIONS[name]
    newest = nodes(name, last)
    for version in VERSIONS[name]:
        for unique_id, node in nodes(name, version).items():
            if node.resource_type != "model" or unique_id not in newest:
                continue
            assert node.description == newest[unique_id].description
            assert described(node) == described(newest[unique_id])
            if (version, unique_id) != ("1.0", "model.jaffle_ext.inc_events"):
                assert node.code_hash == newest[unique_id].code_hash


def test_the_rule_of_checksums_is_told_from_the_checksums(subtests: pytest.Subtests) -> None:
    for name, version in BUILDS:
        with subtests.test(name, version=version):
            major, minor = map(int, version.split("."))
            expected = (
                "collapsed"
                if (major, minor) >= (1, 12)
                else "stripped"
                if (major, minor) >= (1, 5)
                else "file"
            )
            found = {
                node.checksum_rule
                for node in nodes(name, version).values()
                if node.resource_type == "model" and node.checksum
            }
            assert found == {expected}
            assert nodes(name, version)["seed.jaffle_ext.big_seed"].checksum_rule == "path"


def fields(node: NodeMetadata) -> dict[str, Any]:
    """What must not depend on the version; columns that dbt knows to come from the catalog or not."""
    kept = asdict(node)
    kept["columns"] = [plain(column) for column in node.columns]
    return {key: kept[key] for key in kept.keys() - RELEASE_DEPENDENT - {"columns_from"}}


def plain(column: Column) -> dict[str, Any]:
    return {key: value for key, value in asdict(column).items() if value not in (None, "", (), {})}


def described(node: NodeMetadata) -> dict[str, str]:
    missing = node.properties.get("columns_not_in_catalog", ())
    found = {column.name.lower(): column.description for column in node.columns if column.description}
    return found | {
        column["name"].lower(): column["description"] for column in missing if column.get("description")
    }


def listed(field: str, unique_id: str, old: str, new: str) -> bool:
    ids, _ = DIFFERENT.get((old, new), {}).get(field, (set(), ""))
    return unique_id in ids or ALL in ids or f"{unique_id.split('.')[0]}.*" in ids
