"""Public API of recce_meta: record the state of a dbt project in its warehouse, and diff any two runs.

Each name is imported on first use, so `import recce_meta` stays fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recce_meta.lazy import lazy_names

if TYPE_CHECKING:
    from recce_meta._version import __version__
    from recce_meta.adapter import UnifiedSqlAdapter
    from recce_meta.api.data.diff_sql import generate_diff_sql
    from recce_meta.api.data.diffs import (
        histogram_diff,
        profile_diff,
        query_diff,
        row_count_diff,
        schema_diff,
        top_k_diff,
        value_diff,
        value_diff_detail,
    )
    from recce_meta.api.demo import demo
    from recce_meta.api.export import export_run, import_run
    from recce_meta.api.public.data import DataComparison, diff_data, run_checks
    from recce_meta.api.public.databases import measure_quality, scan
    from recce_meta.api.public.extract import extract_sql_project, extract_with, take_statistics
    from recce_meta.api.public.notes import add_note, list_notes, note_history
    from recce_meta.api.public.reports import render_report
    from recce_meta.api.public.runs import (
        diff_runs,
        failing_changes,
        impact,
        lineage,
        node_pairs,
        render_sql,
        show_run,
    )
    from recce_meta.api.public.settings import read_config
    from recce_meta.api.public.store import (
        copy_runs,
        doctor,
        export,
        import_recce_state,
        init_store,
        store_sql,
    )
    from recce_meta.api.quality import quality_history, show_quality
    from recce_meta.api.record import record_run
    from recce_meta.api.reviews import list_reviews, review
    from recce_meta.api.runs import RunSummary
    from recce_meta.config.file import Config
    from recce_meta.config.nodes import NodeSettings
    from recce_meta.diff.changes import detect_changes
    from recce_meta.errors import RecceMetaError
    from recce_meta.extractors.database import extract_database
    from recce_meta.extractors.jinja import jinja_dependencies
    from recce_meta.extractors.manifest import extract_from_manifest
    from recce_meta.extractors.project import extract_columns_from_catalog, extract_project
    from recce_meta.graph import build_lineage_graph
    from recce_meta.models import Change, Column, LineageEdge, NodeMetadata, Project, RunMetadata
    from recce_meta.models.change import RunDiff, ScanReport
    from recce_meta.models.checks import CheckReport
    from recce_meta.models.data_diff import (
        Failed,
        HistogramDiff,
        NotCompared,
        ProfileDiff,
        QueryDiff,
        RowCountDiff,
        RowsDiff,
        SchemaDiff,
        TopKDiff,
        ValueDetail,
        ValueDiff,
    )
    from recce_meta.models.lineage import ImpactView, LineageView
    from recce_meta.models.marks.annotation import Annotation, AnnotationEvent
    from recce_meta.models.marks.review import Review
    from recce_meta.models.rows import ResultList, Tabular
    from recce_meta.models.run import FsckResult, StoreProblem
    from recce_meta.quality.compare import QualityResult
    from recce_meta.quality.privacy import Privacy
    from recce_meta.render import SimpleTemplateRenderer
    from recce_meta.sql_diff import classify_change
    from recce_meta.sql_lineage import column_lineage
    from recce_meta.store.prune import prune
    from recce_meta.store.quality import list_quality_runs
    from recce_meta.store.read import list_runs
    from recce_meta.store.select import load_lineage_from_warehouse, load_nodes_from_warehouse, load_run
    from recce_meta.sync.fsck import fsck
    from recce_meta.sync.operations import SyncResult, pull_runs, push_runs, sync_runs

__all__ = [
    "Annotation",
    "AnnotationEvent",
    "Change",
    "CheckReport",
    "Column",
    "Config",
    "DataComparison",
    "Failed",
    "FsckResult",
    "HistogramDiff",
    "ImpactView",
    "LineageEdge",
    "LineageView",
    "NodeMetadata",
    "NodeSettings",
    "NotCompared",
    "Privacy",
    "ProfileDiff",
    "Project",
    "QualityResult",
    "QueryDiff",
    "RecceMetaError",
    "ResultList",
    "Review",
    "RowCountDiff",
    "RowsDiff",
    "RunDiff",
    "RunMetadata",
    "RunSummary",
    "ScanReport",
    "SchemaDiff",
    "SimpleTemplateRenderer",
    "StoreProblem",
    "SyncResult",
    "Tabular",
    "TopKDiff",
    "UnifiedSqlAdapter",
    "ValueDetail",
    "ValueDiff",
    "__version__",
    "add_note",
    "build_lineage_graph",
    "classify_change",
    "column_lineage",
    "copy_runs",
    "demo",
    "detect_changes",
    "diff_data",
    "diff_runs",
    "doctor",
    "export",
    "export_run",
    "extract_columns_from_catalog",
    "extract_database",
    "extract_from_manifest",
    "extract_project",
    "extract_sql_project",
    "extract_with",
    "failing_changes",
    "fsck",
    "generate_diff_sql",
    "histogram_diff",
    "impact",
    "import_recce_state",
    "import_run",
    "init_store",
    "jinja_dependencies",
    "lineage",
    "list_notes",
    "list_quality_runs",
    "list_reviews",
    "list_runs",
    "load_lineage_from_warehouse",
    "load_nodes_from_warehouse",
    "load_run",
    "measure_quality",
    "node_pairs",
    "note_history",
    "profile_diff",
    "prune",
    "pull_runs",
    "push_runs",
    "quality_history",
    "query_diff",
    "read_config",
    "record_run",
    "render_report",
    "render_sql",
    "review",
    "row_count_diff",
    "run_checks",
    "scan",
    "schema_diff",
    "show_quality",
    "show_run",
    "store_sql",
    "sync_runs",
    "take_statistics",
    "top_k_diff",
    "value_diff",
    "value_diff_detail",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "_version": "__version__",
        "adapter": "UnifiedSqlAdapter",
        "api.data.diffs": "histogram_diff profile_diff query_diff row_count_diff schema_diff top_k_diff "
        "value_diff value_diff_detail",
        "api.demo": "demo",
        "api.data.diff_sql": "generate_diff_sql",
        "api.export": "export_run import_run",
        "api.public.data": "DataComparison diff_data run_checks",
        "api.public.databases": "measure_quality scan",
        "api.public.extract": "extract_sql_project extract_with take_statistics",
        "api.public.notes": "add_note list_notes note_history",
        "api.public.reports": "render_report",
        "api.public.runs": "diff_runs failing_changes impact lineage node_pairs render_sql show_run",
        "api.public.settings": "read_config",
        "api.public.store": "copy_runs doctor export import_recce_state init_store store_sql",
        "api.quality": "quality_history show_quality",
        "api.record": "record_run",
        "api.reviews": "list_reviews review",
        "api.runs": "RunSummary",
        "config.file": "Config",
        "config.nodes": "NodeSettings",
        "diff.changes": "detect_changes",
        "errors": "RecceMetaError",
        "extractors.database": "extract_database",
        "extractors.jinja": "jinja_dependencies",
        "extractors.manifest": "extract_from_manifest",
        "extractors.project": "extract_columns_from_catalog extract_project",
        "graph": "build_lineage_graph",
        "models": "Change Column LineageEdge NodeMetadata Project RunMetadata",
        "models.change": "RunDiff ScanReport",
        "models.checks": "CheckReport",
        "models.data_diff": "Failed HistogramDiff NotCompared ProfileDiff QueryDiff RowCountDiff RowsDiff "
        "SchemaDiff TopKDiff ValueDetail ValueDiff",
        "models.lineage": "ImpactView LineageView",
        "models.marks.annotation": "Annotation AnnotationEvent",
        "models.marks.review": "Review",
        "models.rows": "ResultList Tabular",
        "models.run": "FsckResult StoreProblem",
        "quality.compare": "QualityResult",
        "quality.privacy": "Privacy",
        "render": "SimpleTemplateRenderer",
        "sql_diff": "classify_change",
        "sql_lineage": "column_lineage",
        "store.prune": "prune",
        "store.quality": "list_quality_runs",
        "store.read": "list_runs",
        "store.select": "load_lineage_from_warehouse load_nodes_from_warehouse load_run",
        "sync.fsck": "fsck",
        "sync.operations": "SyncResult pull_runs push_runs sync_runs",
    },
)
