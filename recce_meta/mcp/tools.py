"""Tools about recorded runs: what changed, what it affects, what must be built. They only read the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.diffs import PairReport
from recce_meta.api.browse.impacts import owners_of
from recce_meta.api.browse.node import (
    LastResult,
    NodeTest,
    last_results,
    last_success,
    node_outcomes,
    node_tests,
)
from recce_meta.api.browse.node_details import node_details
from recce_meta.api.browse.plan import plan_build
from recce_meta.api.impact import as_bound, column_names, find_address, impact_in
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.api.runs import find_node
from recce_meta.errors import UsageError, plural
from recce_meta.graph import build_lineage_graph
from recce_meta.mcp.answers import answer, cut, first_few, short_notes
from recce_meta.mcp.questions import Questions
from recce_meta.models import NodeMetadata
from recce_meta.models.change import CERTAIN, Category, Change, Impact, Reach, Reason, Status
from recce_meta.models.lineage import Direction, ImpactView, ReachedNode
from recce_meta.models.node_types import BUILT, SELECTED
from recce_meta.models.run import WORKING_TREE, RunMetadata
from recce_meta.report.diff_details import effect_label, reach_phrase, reached_phrase
from recce_meta.report.labels import (
    build_problems,
    by_harm,
    counts_by_kind,
    is_unsure,
    main_reasons,
    moment,
    node_label,
    revision,
)
from recce_meta.report.lineage import affected_phrase, failing_phrase
from recce_meta.report.review.verdict import verdict_of
from recce_meta.report.run_choice import choice_notes

Directions = Literal["downstream", "upstream", "both"]
_REASONS, _COLUMNS, _FEW = 3, 8, 5


class RunTools:
    """Tools that answer from the store."""

    def __init__(self, questions: Questions) -> None:
        """Create the tools that ask *questions*."""
        self._questions = questions

    def what_changed(
        self, base: str = "", current: str = "", select: str = "", limit: int = 0, cursor: str = ""
    ) -> str:
        """List the nodes that changed between two runs, the most harmful first, with the effect of each.

        base, current: run selectors as in recce-meta diff (prod, prod~1, prod,before:2026-11-01, branch:x, a
        run id); by default the run of the merge base, and the latest run of the checked-out branch. current
        "working tree" is the files as they are now, without a build.
        select: nodes in dbt's grammar.
        """
        with self._questions.store.reading() as adapter:
            report = self._questions.report(adapter, base, current, select)
        rows = [_change_row(change) for change in by_harm(report.diff.changed)]
        return answer(self.head(report), "changes", rows, limit=limit, cursor=cursor)

    def impact(
        self,
        target: str = "",
        base: str = "",
        current: str = "",
        run: str = "",
        direction: Directions = "downstream",
        depth: int = 0,
        limit: int = 0,
        cursor: str = "",
    ) -> str:
        """List what is affected: by a change of target (NODE or NODE.COLUMN), or by the diff of two runs.

        With target, also names the nodes that fail if the column is removed or renamed. run: run selector.
        Without target, base and current are those of what_changed. depth: most steps, 0 for all.
        """
        _check_depth(depth)
        if target and (base or current):
            raise UsageError("base and current do not apply to a target", hint="name its run with run")
        if not target and (run or direction != "downstream"):
            raise UsageError("run and direction need a target", hint="name NODE or NODE.COLUMN as target")
        if target:
            with self._questions.store.reading() as adapter:
                reader, view = self._view(adapter, target, run, direction, depth)
            return self._of_target(reader.run, view, limit, cursor)
        with self._questions.store.reading() as adapter:
            report = self._questions.report(adapter, base, current)
        diff = report.diff
        impacts = [one for one in diff.impacted if not depth or one.distance <= depth]
        # Changed nodes are affected by others, too.
        rows = [_reached_change(change) for change in diff.changed if change.reached is not None]
        rows += [_impact_row(one) for one in sorted(impacts, key=lambda one: (not one.fails, one.distance))]
        return answer(self.head(report), "affected", rows, limit=limit, cursor=cursor)

    def column_lineage(
        self,
        column: str,
        run: str = "",
        direction: Directions = "both",
        depth: int = 3,
        limit: int = 0,
        cursor: str = "",
    ) -> str:
        """Trace a column (NODE.COLUMN): the columns that it comes from, and those that use it, edge by edge.

        Each edge has its kind: passthrough, renamed, derived, aggregated; filter, join, group or order if the
        column only decides about rows.
        """
        _check_depth(depth)
        with self._questions.store.reading() as adapter:
            reader, view = self._view(adapter, column, run, direction, depth)
        if view.column is None:
            raise UsageError(f"{view.root} is a node", hint="name one of its columns: NODE.COLUMN")
        rows = list(_edges(view))
        head = {
            "column": f"{view.root}.{view.column}",
            "run": side_text(reader.run),
            "not_known": short_notes([*view.notes, *_gaps(view)]),
            "note": self._questions.store.note,
        }
        return (
            answer(head, "edges", rows, limit=limit, cursor=cursor) if rows else answer({**head, "edges": 0})
        )

    def describe(
        self, node: str, run: str = "", columns: bool = False, limit: int = 0, cursor: str = ""
    ) -> str:
        """Describe a node: type, relation, parents, readers, tests with results, last result, rows, owner.

        columns: list its columns with types and descriptions instead of its readers and tests.
        """
        with self._questions.store.reading() as adapter:
            reader = self._questions.reader(adapter, run)
            unique_id = find_node(node, reader.names)
            graph = build_lineage_graph([], reader.edges)
            children = graph.children(unique_id)
            details = node_details(reader, unique_id, graph.parents(unique_id), children)
            owners = owners_of(reader, [unique_id])
            results = last_results(
                adapter,
                reader.run,
                [unique_id, *children],
                reader.names,
                {one: graph.parents(one) for one in reader.names},
            )
            tests = node_tests(unique_id, reader.tests_of([unique_id]), results)
            found = details.node
            result = results.get(unique_id)
            built = _builds(adapter, reader.run, found, result)
        head: dict[str, Any] = {
            "node": unique_id,
            "type": found.resource_type,
            "run": side_text(reader.run),
            "materialized": found.materialized,
            "relation": found.relation_name,
            "path": found.path,
            "description": cut(found.description),
            "owner": owners.get(unique_id),
            "tags": list(found.tags),
            "last_result": result_text(result) if result else None,
            **built,
            "sql": f"recce-meta://sql/{unique_id}" if found.raw_code else None,
            "note": self._questions.store.note,
        }
        if columns:
            rows = [
                {"name": one.name, "type": one.type, "description": cut(one.description)}
                for one in found.columns
            ]
            return answer(head, "columns", rows, limit=limit, cursor=cursor)
        head["column_count"] = len(found.columns)
        head["parents"] = [one.unique_id for one in details.parents[:_FEW]]
        if len(details.parents) > _FEW:
            head["parent_count"] = len(details.parents)
        readers = [one for one in details.children if one.resource_type not in ("test", "unit_test")]
        entries: list[dict[str, Any]] = [{"reader": one.unique_id} for one in readers]
        entries += map(_test_row, tests)
        return answer(head, "readers_and_tests", entries, limit=limit, cursor=cursor)

    def review_summary(self, base: str = "", current: str = "") -> str:
        """Summarise a pull request: verdict, severe changes, failing nodes, what was not compared.

        check_data_of names the nodes whose data are worth a comparison.
        base and current are those of what_changed.
        """
        with self._questions.store.reading() as adapter:
            report = self._questions.report(adapter, base, current)
        diff = report.diff
        changes = by_harm(diff.changed)
        severe = [
            one
            for one in changes
            if one.category in (Category.BREAKING, Category.PARTIAL_BREAKING, Category.UNKNOWN)
        ]
        fails = [one.unique_id for one in diff.impacted if one.fails]
        fails += [one.unique_id for one in changes if one.fails]
        own = [one for one in changes if one.status is Status.MODIFIED]
        checks = [one.unique_id for one in own if one in severe or one.reached is not None]
        checks += [one.unique_id for one in diff.impacted if one.resource_type in SELECTED]
        checks = [one for one in checks if one.split(".")[0] in BUILT]
        head = {
            **self.head(report),
            "failing": sorted(fails)[:_FEW],
            "affected": counts_by_kind(Counter(one.resource_type for one in diff.impacted)),
            "build_problems": list(build_problems(diff)),
            "check_data_of": checks[:_FEW],
        }
        return answer(head, "severe", [_change_row(one) for one in severe])

    def plan(self, base: str = "", current: str = "", limit: int = 0, cursor: str = "") -> str:
        """List the nodes that must be built after the change, and why.

        base and current are those of what_changed. full_refresh: tables whose existing rows keep what the old
        code made until a full refresh.
        """
        if current == WORKING_TREE:
            raise UsageError("plan needs a recorded run", hint="what_changed has the working tree")
        with self._questions.store.reading() as adapter:
            report = self._questions.report(adapter, base, current)
            diff = report.diff
            names = StoredRunReader(adapter, diff.current).names
        plan = plan_build(diff, names)
        # A name alone selects the nodes of every package that has one.
        selected = [".".join(names[node.unique_id].fqn) for node in plan.nodes]
        is_short = 0 < len(selected) <= _COLUMNS and not plan.full_refresh
        head = {
            **self.head(report),
            "build": f"{'at least ' if diff.notes else ''}{plural(len(plan.nodes), 'node')}",
            "command": f"dbt build --select {' '.join(selected)}" if is_short else None,
            "tests_affected": plan.tests,
            "downstream_not_affected": plan.skipped,
            "full_refresh": list(plan.full_refresh[:_FEW]),
            "removed": list(plan.removed[:_FEW]),
        }
        rows = [
            {"node": node.unique_id, "why": node.why, "existing_rows": list(node.existing_rows)}
            for node in plan.nodes
        ]
        return answer(head, "nodes", rows, limit=limit, cursor=cursor)

    # Parts of answers

    def head(self, report: PairReport) -> dict[str, Any]:
        """Return the verdict of *report*, its runs, and what was not compared."""
        diff = report.diff
        is_of_files = diff.choice is not None and diff.choice.current.reason == WORKING_TREE
        return {
            "verdict": str(verdict_of(diff, report.data, report.checks)),
            "builds": list(build_problems(diff)),
            "base": side_text(diff.base),
            "current": WORKING_TREE if is_of_files else side_text(diff.current),
            "not_compared": short_notes([*choice_notes(diff.choice), *diff.notes]),
            "note": self._questions.store.note,
        }

    def _view(
        self, adapter: UnifiedSqlAdapter, target: str, run: str, direction: Directions, depth: int
    ) -> tuple[StoredRunReader, ImpactView]:
        reader = self._questions.reader(adapter, run)
        with reader.session():
            address = find_address(target, reader.names, lambda unique_id: column_names(reader, unique_id))
            view = impact_in(reader, address, Direction(direction), depth or None)
        return reader, as_bound(view, reader, depth or None)

    def _of_target(self, run: RunMetadata, view: ImpactView, limit: int, cursor: str) -> str:
        fails = {node.unique_id: node for node in view.fails or ()}
        head = {
            "target": view.root if view.column is None else f"{view.root}.{view.column}",
            "run": side_text(run),
            "affected": affected_phrase(view),
            "if_removed_or_renamed": failing_phrase(view),
            "not_known": short_notes(view.notes),
            "note": self._questions.store.note,
        }
        rows: list[Mapping[str, Any]] = [
            {**_reached_row(node), "fails_if_removed": node.unique_id in fails or None}
            for node in sorted(view.nodes, key=lambda node: (node.unique_id not in fails, abs(node.distance)))
            if node.unique_id != view.root
        ]
        known = {node.unique_id for node in view.nodes}
        rows += [
            {
                "node": one.unique_id,
                "distance": one.distance,
                "fails_if_removed": True,
                "sure": _is_sure(one.confidence),
            }
            for one in fails.values()
            if one.unique_id not in known
        ]
        return answer(head, "nodes", rows, limit=limit, cursor=cursor)


def _change_row(change: Change) -> dict[str, Any]:
    columns = [
        f"{one.name} renamed to {one.renamed_to}" if one.renamed_to else f"{one.name} {one.status.value}"
        for one in change.columns
    ]
    columns += [
        f"{detail.key} has type {detail.current}, was {detail.base}"
        for detail in change.details
        if detail.reason is Reason.COLUMNS and detail.base and detail.current and detail.key != "(order)"
    ]
    # The columns are listed by themselves, and say what was renamed.
    said = tuple(f"column{s} {one}" for s in ("", "s") for one in ("added", "modified", "removed"))
    reasons = [one for one in change.category_reasons if not (columns and one.startswith(said))]
    reasons = reasons or ([] if change.category_reasons else [*main_reasons(change)])
    return {
        "node": change.unique_id,
        "change": change.status.value,
        "effect": effect_label(change),
        "why": [str(cut(one)) for one in reasons[:_REASONS]],
        "columns": first_few(columns, _COLUMNS),
        "affected_by_others": cut(reached_phrase(change)),
        "fails": change.fails or None,
    }


def _reached_change(change: Change) -> dict[str, Any]:
    assert change.reached is not None
    return {
        "node": change.unique_id,
        "changed_itself": True,
        "because_of": list(change.reached.origins[:_FEW]),
        "effect": cut(reached_phrase(change)),
        "fails": True if change.reached.fails else None,
        "may_fail": change.reached.may_fail or None,
        "sure": None
        if _is_sure(change.reached.confidence) and change.reached.reach is not Reach.UNKNOWN
        else False,
    }


def _impact_row(impact: Impact) -> dict[str, Any]:
    return {
        "node": impact.unique_id,
        "distance": impact.distance,
        "because_of": impact.origin,
        "effect": reach_phrase(impact) or None,
        "fails": True if impact.fails else None,
        "may_fail": impact.may_fail or None,
        "sure": False if is_unsure(impact) or impact.reach in (None, Reach.UNKNOWN) else None,
    }


def _reached_row(node: ReachedNode) -> dict[str, Any]:
    columns = [column.name for column in node.columns]
    return {
        "node": node.unique_id,
        "distance": node.distance,
        "rows": True if Reach.ROWS in node.reach else None,
        "columns": first_few(columns, _COLUMNS),
        "not_traced": node.reason,
        "sure": None if _is_sure(node.confidence) and node.reason is None else False,
    }


def _check_depth(depth: int) -> None:
    """Raise UsageError if *depth* is negative."""
    if depth < 0:
        raise UsageError(f"Invalid depth: {depth}", hint="0 for all, or a number of steps")


def _edges(view: ImpactView) -> Iterable[dict[str, Any]]:
    for node in sorted(view.nodes, key=lambda node: (abs(node.distance), node.unique_id)):
        for column in node.columns:
            for source in column.sources:
                yield {
                    "from": f"{source.parent_id}.{source.column}",
                    "to": f"{node.unique_id}.{column.name}",
                    "kind": source.kind,
                    "sure": None if _is_sure(source.confidence) else False,
                }
        for use in node.uses:
            yield {
                "from": f"{use.parent_id}.{use.column}",
                "to": f"rows of {node.unique_id}",
                "kind": use.kind,
                "sure": None if _is_sure(use.confidence) else False,
            }


def _gaps(view: ImpactView) -> list[str]:
    return [f"{node_label(node)}: {node.reason}" for node in view.nodes if node.reason is not None]


def _is_sure(confidence: float) -> bool:
    return confidence >= CERTAIN


def side_text(run: RunMetadata) -> str:
    """Return `run 3f2a of prod, a1b2c3d, 2026-11-20 08:43 UTC, build: success`."""
    parts = f"run {run.run_id} of {run.environment}", revision(run), moment(run.run_at)
    return ", ".join(filter(None, (*parts, run.build_status and f"build: {run.build_status}")))


def _test_row(test: NodeTest) -> dict[str, Any]:
    return {
        "test": test.test,
        "name": test.name,
        "column": test.column,
        "result": test.status,
        "result_of": test.run_id,
        "changed_since": test.since,
    }


def _builds(
    adapter: UnifiedSqlAdapter, run: RunMetadata, node: NodeMetadata, last: LastResult | None
) -> dict[str, Any]:
    """Return the newest row counts of *node*, and its last build if its *last* result is not one."""
    is_missing = node.resource_type in BUILT and (last is None or last.result.status != "success")
    success = last_success(adapter, run, node.unique_id) if is_missing else None
    counts = [
        one
        for one in node_outcomes(adapter, run, node.unique_id)
        if one.row_count is not None and one.run_at <= run.counted_at
    ]
    return {
        "last_success": f"run {success.run_id} ({moment(success.run_at)})" if success else None,
        "row_counts": {moment(one.run_at): one.row_count for one in counts[:_REASONS]},
    }


def result_text(last: LastResult) -> str:
    """Return `success in 1.2 s`, with the run of an earlier result and what has changed since."""
    result, measured = last.result, last.measured
    text = result.status if result.seconds is None else f"{result.status} in {result.seconds:.1f} s"
    if measured.is_own:
        return f"{text}; {measured.since}" if measured.since else text
    text += f", in run {measured.run_id} ({moment(measured.run_at)})"
    return f"{text}; {measured.since} since then" if measured.since else text
