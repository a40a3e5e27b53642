"""Record what a dbt project is in the warehouse it builds, and diff any two runs.

The names here are the public ones; each is imported when it is first used, so that `import recce_meta`
costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recce_meta._version import __version__
    from recce_meta.adapter import UnifiedSqlAdapter
    from recce_meta.api.data_diffs import (
        histogram_diff,
        profile_diff,
        query_diff,
        row_count_diff,
        schema_diff,
        top_k_diff,
        value_diff,
        value_diff_detail,
    )
    from recce_meta.api.diff_sql import generate_diff_sql
    from recce_meta.api.exporting import export_run
    from recce_meta.api.importing import import_run
    from recce_meta.api.quality import measure_quality
    from recce_meta.api.recording import record_run
    from recce_meta.api.scanning import scan
    from recce_meta.diff.changes import detect_changes
    from recce_meta.diff.semantic import classify_change
    from recce_meta.errors import RecceMetaError
    from recce_meta.extractors.catalog import extract_columns_from_catalog
    from recce_meta.extractors.jinja import jinja_dependencies
    from recce_meta.extractors.live import extract_database
    from recce_meta.extractors.manifest import extract_from_manifest
    from recce_meta.extractors.project import extract_project
    from recce_meta.graph import build_lineage_graph
    from recce_meta.graph.columns import column_lineage
    from recce_meta.models import Change, Column, LineageEdge, NodeMetadata, Project, RunMetadata
    from recce_meta.render import SimpleTemplateRenderer
    from recce_meta.store.read import list_runs
    from recce_meta.store.select import load_lineage_from_warehouse, load_nodes_from_warehouse, load_run

__all__ = [
    "Change",
    "Column",
    "LineageEdge",
    "NodeMetadata",
    "Project",
    "RecceMetaError",
    "RunMetadata",
    "SimpleTemplateRenderer",
    "UnifiedSqlAdapter",
    "__version__",
    "build_lineage_graph",
    "classify_change",
    "column_lineage",
    "detect_changes",
    "export_run",
    "extract_columns_from_catalog",
    "extract_database",
    "extract_from_manifest",
    "extract_project",
    "generate_diff_sql",
    "histogram_diff",
    "import_run",
    "jinja_dependencies",
    "list_runs",
    "load_lineage_from_warehouse",
    "load_nodes_from_warehouse",
    "load_run",
    "measure_quality",
    "profile_diff",
    "query_diff",
    "record_run",
    "row_count_diff",
    "scan",
    "schema_diff",
    "top_k_diff",
    "value_diff",
    "value_diff_detail",
]

_MODULES = {
    "Change": "models",
    "Column": "models",
    "LineageEdge": "models",
    "NodeMetadata": "models",
    "Project": "models",
    "RecceMetaError": "errors",
    "RunMetadata": "models",
    "SimpleTemplateRenderer": "render",
    "UnifiedSqlAdapter": "adapter",
    "__version__": "_version",
    "build_lineage_graph": "graph",
    "classify_change": "diff.semantic",
    "column_lineage": "graph.columns",
    "detect_changes": "diff.changes",
    "export_run": "api.exporting",
    "extract_columns_from_catalog": "extractors.catalog",
    "extract_database": "extractors.live",
    "extract_from_manifest": "extractors.manifest",
    "extract_project": "extractors.project",
    "generate_diff_sql": "api.diff_sql",
    "histogram_diff": "api.data_diffs",
    "import_run": "api.importing",
    "jinja_dependencies": "extractors.jinja",
    "list_runs": "store.read",
    "load_lineage_from_warehouse": "store.select",
    "load_nodes_from_warehouse": "store.select",
    "load_run": "store.select",
    "measure_quality": "api.quality",
    "profile_diff": "api.data_diffs",
    "query_diff": "api.data_diffs",
    "record_run": "api.recording",
    "row_count_diff": "api.data_diffs",
    "scan": "api.scanning",
    "schema_diff": "api.data_diffs",
    "top_k_diff": "api.data_diffs",
    "value_diff": "api.data_diffs",
    "value_diff_detail": "api.data_diffs",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'recce_meta' has no attribute {name!r}")
    return getattr(import_module(f"recce_meta.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
