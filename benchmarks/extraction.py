"""Extraction, compared with a typed decode of the same bytes, the minimum for any reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from benchmarks.measure import Figure, compared, in_fresh_process, in_turns, within, without_collector
from recce_meta.extractors.manifest import read_manifest
from recce_meta.extractors.project import extract_columns_from_catalog


class FloorColumn(Struct, gc=False):
    name: str
    description: str | None = None
    data_type: str | None = None
    meta: Any = None
    tags: Any = None
    constraints: Any = None
    quote: bool | None = None
    config: Any = None


class FloorDependsOn(Struct, gc=False):
    macros: list[str] = []
    nodes: list[str] = []


class FloorChecksum(Struct, gc=False):
    name: str
    checksum: str


class FloorNode(Struct, gc=False):
    """The 30 stored fields of a node, decoded without further processing."""

    unique_id: str
    name: str
    resource_type: str
    package_name: str
    original_file_path: str
    fqn: list[str]
    database: str | None = None
    schema: str | None = None
    alias: str | None = None
    identifier: str | None = None
    relation_name: str | None = None
    language: str | None = None
    checksum: FloorChecksum | None = None
    raw_code: str | None = None
    compiled_code: str | None = None
    config: Any = None
    unrendered_config: Any = None
    contract: Any = None
    columns: dict[str, FloorColumn] = {}
    description: str | None = None
    tags: Any = None
    meta: Any = None
    access: str | None = None
    group: str | None = None
    version: Any = None
    source_name: str | None = None
    depends_on: FloorDependsOn | None = None
    latest_version: Any = None
    constraints: Any = None
    test_metadata: Any = None
    attached_node: str | None = None
    column_name: str | None = None


class FloorManifest(Struct, gc=False):
    """A manifest without macros, docs and the maps of the graph."""

    metadata: Any
    nodes: dict[str, FloorNode]
    sources: dict[str, FloorNode]
    exposures: dict[str, Any] = {}
    metrics: dict[str, Any] = {}


def floor(path: Path) -> FloorManifest:
    """Read the file, and decode it into types."""
    return msgspec.json.decode(path.read_bytes(), type=FloorManifest)


MEMORY = """
import json, sys
from pathlib import Path
from benchmarks.measure import peak_rss, rss
from recce_meta.extractors.manifest import read_manifest
before = rss()
manifest = read_manifest(Path(sys.argv[1]))
print(json.dumps({"before": before, "peak": peak_rss(), "after": rss()}))
"""


def run(small: Path, large: Path) -> list[Figure]:
    """Run all measurements; *small* is the folder of a project of 500 models, *large* of 5,000."""
    manifest = large / "manifest.json"
    (project,) = in_turns(
        lambda: extract_columns_from_catalog(
            small / "catalog.json", read_manifest(small / "manifest.json").nodes
        )
    )
    ours, least = in_turns(lambda: read_manifest(manifest), lambda: floor(manifest), rounds=9)
    with without_collector():
        ours_off, least_off = in_turns(lambda: read_manifest(manifest), lambda: floor(manifest), rounds=9)
    memory = in_fresh_process(MEMORY, str(manifest))
    size = manifest.stat().st_size
    grown = memory["peak"] - memory["before"]
    return [
        within("extract 500 models, manifest and catalog", project, 0.1),
        compared("extract 5,000 models", ours, least, 1.5, "typed decode"),
        compared("the same, garbage collector off", ours_off, least_off, 1.5, "typed decode"),
        Figure(
            "memory that extracting 5,000 models adds at its peak",
            f"{grown / 1e6:.0f} MB",
            f"the file: {size / 1e6:.0f} MB",
            f"{grown / size:.2f}",
            "about 2",
            grown / size <= 2.2,
        ),
    ]
