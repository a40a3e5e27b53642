"""Results as JSON for programs; each document names its schema and version in `schema`.

Equal results give equal bytes. Fields are only ever added within a version: see `docs/diff-json.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from recce_meta.models.change import Change, Impact, RunDiff
from recce_meta.models.check import Check
from recce_meta.models.lineage import Direction, ForeignKey, LineageNode, LineageView
from recce_meta.models.node import LineageEdge, NodeResult
from recce_meta.models.run import RunMetadata
from recce_meta.report.characters import pretty_json
from recce_meta.report.wording import DiffSummary, summarise

if TYPE_CHECKING:
    from recce_meta.models.check_result import CheckReport
    from recce_meta.models.data_diff import AnyDataDiff
    from recce_meta.models.statistics import StatisticsKept

DIFF_SCHEMA = "recce_meta/diff/v1"
RUNS_SCHEMA = "recce_meta/runs/v1"
RUN_SCHEMA = "recce_meta/run/v1"
LINEAGE_SCHEMA = "recce_meta/lineage/v1"
CHECKS_SCHEMA = "recce_meta/checks/v1"


class DiffDocument(Struct, kw_only=True):
    """What `diff --format json` prints; its JSON schema is `docs/schemas/diff.v1.json`."""

    schema: str = DIFF_SCHEMA
    base: RunMetadata
    current: RunMetadata
    summary: DiffSummary
    changes: Sequence[Change]
    impacted: Sequence[Impact]
    children: Sequence[LineageEdge]
    notes: Sequence[str]
    data_schema: str | UnsetType = UNSET
    """What describes the results in `data`."""
    data_summary: Any | UnsetType = UNSET
    data_not_compared: Sequence[Any] | UnsetType = UNSET
    data: Sequence[Any] | UnsetType = UNSET
    checks: Any | UnsetType = UNSET


class RunsDocument(Struct, kw_only=True):
    """What `runs --format json` prints."""

    schema: str = RUNS_SCHEMA
    runs: Sequence[RunMetadata]


class RunDocument(Struct, kw_only=True):
    """What `show --format json` and `record --format json` print."""

    schema: str = RUN_SCHEMA
    run: RunMetadata
    counts: Mapping[str, int]
    results: Sequence[NodeResult]
    statistics: StatisticsKept | UnsetType = UNSET
    columns: Mapping[str, int] | UnsetType = UNSET
    """Of `record`: of how many nodes the columns were `traced`, `reused` and `not_traced`."""


class LineageDocument(Struct, kw_only=True):
    """What `lineage --format json` prints."""

    schema: str = LINEAGE_SCHEMA
    root: str
    direction: Direction
    nodes: Sequence[LineageNode]
    edges: Sequence[LineageEdge]
    foreign_keys: Sequence[ForeignKey] | UnsetType = UNSET
    """Those that begin or end at the root, where there are any."""


class ChecksDocument(Struct, kw_only=True):
    """What `doctor --format json` prints."""

    schema: str = CHECKS_SCHEMA
    ok: bool
    checks: Sequence[Check]


def diff_json(
    diff: RunDiff, data: Sequence[AnyDataDiff] | None = None, checks: CheckReport | None = None
) -> str:
    """*diff* as a document of schema `recce_meta/diff/v1`, with *data* diffs and *checks*; nothing is cut."""
    about_data = {} if data is None else _about(data)
    return _encoded(
        DiffDocument(
            base=diff.base,
            current=diff.current,
            summary=summarise(diff),
            changes=sorted(diff.changes, key=lambda change: change.unique_id),
            impacted=sorted(diff.impacted, key=lambda impact: (impact.distance, impact.unique_id)),
            children=sorted(diff.children),
            notes=diff.notes,
            **about_data,
            checks=UNSET if checks is None else _check_run(checks),
        )
    )


def _about(data: Sequence[AnyDataDiff]) -> dict[str, Any]:
    from recce_meta.report.data.as_json import DATA_SCHEMA, data_tree, gap_trees, summary_tree  # often unused

    return {
        "data_schema": DATA_SCHEMA,
        "data_summary": summary_tree(data),
        "data_not_compared": gap_trees(data),
        "data": [data_tree(result) for result in data],
    }


def _check_run(checks: CheckReport) -> msgspec.Raw:
    from recce_meta.report.check_run_json import check_report_json

    return msgspec.Raw(check_report_json(checks).encode())


def runs_json(runs: Sequence[RunMetadata]) -> str:
    """*runs* in the order given."""
    return _encoded(RunsDocument(runs=runs))


def run_json(
    run: RunMetadata,
    counts: Mapping[str, int],
    results: Sequence[NodeResult] = (),
    kept: StatisticsKept | None = None,
    columns: Mapping[str, int] | None = None,
) -> str:
    """One run, how many nodes it has of each resource type, every result of it, and how much is *kept*.

    *columns* says of how many nodes columns were traced when it was recorded.
    """
    return _encoded(
        RunDocument(
            run=run,
            counts=counts,
            results=sorted(results, key=lambda r: r.unique_id),
            statistics=UNSET if kept is None else kept,
            columns=UNSET if columns is None else columns,
        )
    )


def lineage_json(view: LineageView) -> str:
    """*view* with its nodes from the farthest upstream to the farthest downstream."""
    nodes = sorted(view.nodes, key=lambda node: (node.distance, node.unique_id))
    return _encoded(
        LineageDocument(
            root=view.root,
            direction=view.direction,
            nodes=nodes,
            edges=sorted(view.edges),
            foreign_keys=view.foreign_keys or UNSET,
        )
    )


def checks_json(checks: Sequence[Check]) -> str:
    """*checks* in the order given; `ok` of the whole is false when one of them failed."""
    return _encoded(ChecksDocument(ok=all(check.ok is not False for check in checks), checks=checks))


def _encoded(document: Struct) -> str:
    return pretty_json(document, is_sorted=True)
