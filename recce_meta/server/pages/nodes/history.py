"""Further tabs of a node: code with a diff against another run, changes over time, and quality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from recce_meta.api.browse.node import (
    CodeVersion,
    ColumnHistoryEntry,
    NodeHistoryEntry,
    NodeQuality,
    QualityFigures,
    code_versions,
    column_changes,
    node_history,
    node_outcomes,
    node_quality,
)
from recce_meta.api.browse.run import runs_around
from recce_meta.diff.scan import is_scan
from recce_meta.errors import plural
from recce_meta.models import NodeMetadata
from recce_meta.models.quality import ColumnQuality, Quality
from recce_meta.models.relation_tokens import resolve
from recce_meta.report.diff_details import line_counts, unified_diff
from recce_meta.report.labels import NO_CHANGE, SAME_CODE, UNCHANGED, join_words, moment, short_run_id
from recce_meta.report.quality import WITHHELD, facts_of, range_text, rows_text, score_text
from recce_meta.report.terminal import shorten
from recce_meta.report.values import cell_text, count, percent
from recce_meta.server.pages.nodes.node import (
    OpenedNode,
    name_of,
    open_node,
    outcome_charts,
    outcomes_listing,
)
from recce_meta.server.site.handlers import PageSet, Request
from recce_meta.server.site.listing import ListColumn, Listing, Row
from recce_meta.server.site.rendering import Page, TimeChart, time_chart
from recce_meta.store.read import load_code
from recce_meta.store.select import require_complete

pages = PageSet()
CODE_SHOWN = 18_000
"""Number of characters of code on a page, which highlighting makes several times longer."""
MEASURED_COLUMNS_SHOWN = 100
VALUES_SHOWN = 10
DIFF_LINES = DIFF_WIDTH = 400
_TONES = {"+": "line-added", "-": "line-removed", "@": "line-place"}


class CodePart(NamedTuple):
    """Code of a node on a page."""

    anchor: str
    title: str
    code: str
    language: str
    hidden: int
    empty: str


class CodeDifference(NamedTuple):
    """Difference between the code of two runs."""

    title: str
    since: str
    lines: Sequence[tuple[str, str]]
    """Class and text of each line."""
    hidden: int
    added: int
    removed: int
    same: str
    """Sentence for code without a difference."""


@pages.page("/runs/{run}/nodes/{node}/code")
def code(request: Request) -> Page:
    """Show the code of a node, raw and compiled, and its difference from another run."""
    opened = open_node(request, "code")
    view, node = request.view, opened.node
    history = node_history(view.adapter, opened.run, node.unique_id)
    against = request.query.get("against", "").strip()
    values = {
        "state": _code_state(opened, code_versions(history)),
        "against": against,
        # Only on request: the code of another run is read, and both are compared line by line.
        "differences": differences(opened, against) if against else (),
        "codes": list(_codes(node, is_whole="whole" in request.query)),
        "versions": versions_listing(opened, code_versions(history)),
    }
    return opened.page("node_code.html", "Code", values)


def _codes(node: NodeMetadata, *, is_whole: bool) -> Iterator[CodePart]:
    language = node.language or "sql"
    most = None if is_whole else CODE_SHOWN
    raw, compiled = node.raw_code or "", node.compiled_code or ""
    missing = f"The run has no source code of this {node.resource_type.replace('_', ' ')}."
    yield CodePart("raw", "Source", raw[:most], language, len(raw[most:]) if most else 0, missing)
    # dbt does not compile Python to SQL.
    if language == "python":
        return
    missing = "The run has no compiled SQL of this node: dbt compile, build or docs generate writes it."
    yield CodePart(
        "compiled", "Compiled SQL", compiled[:most], "sql", len(compiled[most:]) if most else 0, missing
    )


def _code_state(opened: OpenedNode, versions: Sequence[CodeVersion]) -> str:
    node = opened.node
    lines = len((node.raw_code or node.compiled_code or "").splitlines())
    where = f" in {node.path}" if node.path else ""
    known = (
        f"{plural(len(versions), 'version')} in the stored runs of {opened.run.environment}"
        if len(versions) > 1
        else _only_run(opened) or f"{SAME_CODE} in all stored runs of {opened.run.environment} that have it"
    )
    return f"{plural(lines, 'line')}{where}; {known}."


def _only_run(opened: OpenedNode) -> str:
    """Return that the run has no other to be compared with; empty if it has one."""
    view = opened.request.view
    if any(runs_around(view.adapter, opened.run)):
        return ""
    kind = "scan of this scope" if is_scan(opened.run) else f"run of {opened.run.environment}"
    return f"no other {kind} is stored to compare with"


def differences(opened: OpenedNode, against: str) -> list[CodeDifference]:
    """Return the differences of the code of a node since the run that the selector *against* names."""
    view, node = opened.request.view, opened.node
    # Selectors such as `latest` mean runs of this project.
    other = require_complete(view.run(against, opened.run.project_name))
    ids, node_id = [node.unique_id], node.unique_id
    source = load_code(view.adapter, other, "raw_code", ids)
    compiled = load_code(view.adapter, other, "compiled_code", ids)
    since = f"run {short_run_id(other.run_id)} ({other.environment}, {moment(other.run_at)})"
    if node_id not in source:
        return [CodeDifference("Code", since, (), 0, 0, 0, "That run does not have this node.")]
    pairs = [("Source", source[node_id], node.raw_code)]
    if node.language != "python":
        # With the relations of this run, another schema alone makes no difference.
        names = opened.graph.names
        relations = {one: found.relation_name for one, found in names.items() if found.relation_name}
        pairs.append(("Compiled SQL", resolve(compiled.get(node_id) or "", relations), node.compiled_code))
    found = []
    for title, old, new in pairs:
        if old and new:
            found.append(_difference(title, since, old, new))
        elif old or new:
            lacks = "That run" if new else "This run"
            text = f"{lacks} does not have it: dbt compile, build or docs generate writes compiled SQL."
            if title == "Source":
                text = f"{lacks} has no source code of this node."
            found.append(CodeDifference(title, since, (), 0, 0, 0, text))
    return found


def _difference(title: str, since: str, old: str | None, new: str | None) -> CodeDifference:
    lines = unified_diff(old, new)
    # Clipped: a line of minified SQL may be longer than the rest of the page.
    shown = [
        (_TONES.get(line[:1], ""), f"{shorten(line, DIFF_WIDTH)}\n") for line in islice(lines, DIFF_LINES)
    ]
    # Of the whole difference, although only its first lines are shown.
    added, removed = line_counts(old, new)
    return CodeDifference(
        title, since, shown, sum(1 for _ in lines), added, removed, f"Both runs have {SAME_CODE}."
    )


def versions_listing(opened: OpenedNode, versions: Sequence[CodeVersion]) -> Listing:
    """Return the versions of the code of a node, newest first."""
    to, unique_id = opened.request.to, opened.node.unique_id
    rows: list[Row] = [
        {"run_at": one.run_at, "run_id": one.run_id, "compare": "compare with this version"}
        for one in versions
    ]
    columns = [
        ListColumn("run_at", "first seen", "time", about="Time of the first run that has this code"),
        ListColumn("run_id", "run", "code", link=lambda row: to.node(row["run_id"], unique_id, "code")),
        ListColumn("compare", "difference", link=lambda row: opened.address("code", against=row["run_id"])),
    ]
    return Listing(
        f"Versions of {name_of(opened.node)}",
        columns,
        rows,
        empty="No other version of the code is stored. Enter another run above to compare with it.",
        crumbs=opened.inner_crumbs,
    )


@pages.listing("/runs/{run}/nodes/{node}/code/versions")
def versions(request: Request) -> Listing:
    """List the versions of the code of a node."""
    opened = open_node(request, "code", "versions")
    view = request.view
    history = node_history(view.adapter, opened.run, opened.node.unique_id)
    return versions_listing(opened, code_versions(history))


@pages.page("/runs/{run}/nodes/{node}/history")
def history(request: Request) -> Page:
    """Show the changes and the results of a node over time."""
    opened = open_node(request, "history")
    view, run, unique_id = request.view, opened.run, opened.node.unique_id
    entries = node_history(view.adapter, run, unique_id)
    outcomes = node_outcomes(view.adapter, run, unique_id)
    values = {
        "state": f"{plural(len(entries), 'change')} in the stored runs of {run.environment}"
        f" of project {run.project_name}.",
        "changes": changes_listing(opened, entries),
        "column_changes": column_changes_listing(
            opened, column_changes(view.adapter, run, unique_id, entries)
        ),
        "outcomes": outcomes_listing(opened, outcomes),
        "charts": outcome_charts(outcomes),
    }
    return opened.page("node_history.html", "History", values)


def changes_listing(opened: OpenedNode, entries: Sequence[NodeHistoryEntry]) -> Listing:
    """Return the changes of a node, newest first, with links to the diffs."""
    to, unique_id = opened.request.to, opened.node.unique_id
    only = "" if entries else _only_run(opened)
    same = (
        f"{NO_CHANGE.capitalize()}: the node is {UNCHANGED} in all stored runs of {opened.run.environment}."
    )
    columns = [
        ListColumn("run_at", "time", "time"),
        ListColumn("status", "change", "tag", has_facets=True),
        ListColumn("parts", "differs in", of=lambda one: join_words(one.parts) or None),
        ListColumn(
            "run_id",
            "run",
            "code",
            link=lambda one: (
                # The run no longer has the node, so its page there would be an error.
                to.run(one.run_id) if one.status == "removed" else to.node(one.run_id, unique_id)
            ),
        ),
        ListColumn("previous_run_id", "previous run", "code", link=lambda one: to.run(one.previous_run_id)),
        ListColumn(
            "diff",
            "diff",
            of=lambda _: "diff",
            link=lambda one: to.diff(one.previous_run_id, one.run_id, node=unique_id),
        ),
    ]
    return Listing.of(
        f"Changes of {name_of(opened.node)}",
        columns,
        entries,
        empty=f"{only[:1].upper()}{only[1:]}: changes are shown from the next one on." if only else same,
        crumbs=opened.inner_crumbs,
    )


def column_changes_listing(opened: OpenedNode, entries: Sequence[ColumnHistoryEntry]) -> Listing:
    """Return the changes of the columns of a node, newest first."""
    to, unique_id = opened.request.to, opened.node.unique_id
    rows: list[Row] = [{**one.to_dicts()[0], "diff": "diff"} for one in entries]
    columns = [
        ListColumn("run_at", "time", "time"),
        ListColumn(
            "column_name",
            "column",
            "code",
            link=lambda row: (
                None
                if row["status"] == "removed"
                else to.column(row["run_id"], unique_id, row["column_name"])
            ),
        ),
        ListColumn("status", "change", "tag", has_facets=True),
        ListColumn("previous_column_type", "previous type", "code"),
        ListColumn("column_type", "type", "code"),
        ListColumn("run_id", "run", "code", link=lambda row: to.run(row["run_id"])),
        ListColumn(
            "diff", "diff", link=lambda row: to.diff(row["previous_run_id"], row["run_id"], node=unique_id)
        ),
    ]
    return Listing(
        f"Changes of the columns of {name_of(opened.node)}",
        columns,
        rows,
        empty=f"No column differs between two stored runs of {opened.run.environment}. "
        "Columns are compared if both runs have a catalog.",
        crumbs=opened.inner_crumbs,
    )


@pages.listing("/runs/{run}/nodes/{node}/changes")
def changes(request: Request) -> Listing:
    """List the changes of a node."""
    opened = open_node(request, "changes")
    view = request.view
    entries = node_history(view.adapter, opened.run, opened.node.unique_id)
    return changes_listing(opened, entries)


@pages.listing("/runs/{run}/nodes/{node}/column-changes")
def changed_columns(request: Request) -> Listing:
    """List the changes of the columns of a node."""
    opened = open_node(request, "column-changes")
    view = request.view
    run, unique_id = opened.run, opened.node.unique_id
    steps = node_history(view.adapter, run, unique_id)
    entries = column_changes(view.adapter, run, unique_id, steps)
    return column_changes_listing(opened, entries)


class MeasuredColumn(NamedTuple):
    """Quality of a column on the page of its node."""

    name: str
    address: str | None
    score: str
    scores: TimeChart | None
    null_share: str
    nulls: TimeChart | None
    distinct: str
    summary: str
    """Smallest and largest value, or the most frequent one."""
    top: Sequence[tuple[str | None, str, str]]
    """Frequent values with number and share of rows; None for NULL."""
    withheld: str
    """Why values are missing."""


@pages.page("/runs/{run}/nodes/{node}/quality")
def quality(request: Request) -> Page:
    """Show the measured quality of a node and its columns."""
    opened = open_node(request, "quality")
    view, run = request.view, opened.run
    found = node_quality(view.adapter, run, opened.node.unique_id)
    if found is None:
        empty = (
            f"Quality of this node was never measured in {run.environment}: "
            f"recce-meta quality --run {run.environment} measures it."
        )
        return opened.page("node_quality.html", "Quality", {"measured": None, "empty": empty})
    table = found.table
    score = score_text(table.score)
    columns = list(islice(measured_columns(opened, found), MEASURED_COLUMNS_SHOWN))
    values = {
        "measured": found,
        "state": f"Measured {moment(table.measured_at)}"
        + (
            f": it failed, {table.reason}."
            if table.reason
            else f", as run {short_run_id(found.run.run_id)} has it."
        ),
        "figures": [
            (score, "score of 100"),
            (rows_text(table), "rows"),
            (count(table.column_count), "columns"),
        ],
        "notes_of_quality": [*facts_of(Quality(run=found.run, tables=(found.table,))), *table.notes],
        "columns": columns,
        "has_scores": any(column.scores for column in columns),
        "has_nulls": any(column.nulls for column in columns),
        "hidden": max(0, len(table.columns) - MEASURED_COLUMNS_SHOWN),
    }
    return opened.page("node_quality.html", "Quality", values)


def measured_columns(opened: OpenedNode, found: NodeQuality) -> Iterator[MeasuredColumn]:
    """Yield the columns of a measurement, in the order of the relation."""
    history: dict[str, list[QualityFigures]] = {}
    # Newest first in the store, and oldest first in charts.
    for one in reversed(found.history):
        history.setdefault(one.column_name, []).append(one)
    for column in found.table.columns:
        yield measured_column(opened, found, column, history.get(column.name, ()))


def measured_column(
    opened: OpenedNode, found: NodeQuality, column: ColumnQuality, history: Sequence[QualityFigures]
) -> MeasuredColumn:
    """Return what pages show of a measured column; *history* has its figures, oldest first."""
    profile = column.profile
    withheld = ""
    # The strongest reason first: values of private columns were not even fetched.
    if column.is_private:
        withheld = f"values {WITHHELD}: the column is private"
    elif not found.run.keeps_values:
        withheld = "values were not stored"
    elif column.reason:
        withheld = column.reason
    rows = profile.row_count if profile else 0
    top = [
        (
            None if one.value is None else cell_text(one.value, 60),
            count(one.count),
            percent(one.count / rows) if rows else "",
        )
        for one in (() if withheld else column.top_values[:VALUES_SHOWN])
    ]
    lowest, highest, _ = ("", "", "") if withheld else range_text(column)
    return MeasuredColumn(
        name=column.name,
        address=opened.column_link(column.name),
        score=score_text(column.score),
        scores=time_chart(
            f"Score of {column.name}",
            [(one.measured_at, one.score) for one in history],
            score_text,
            shared=[one.score for one in found.history],
        ),
        null_share="" if column.null_share is None else percent(column.null_share),
        nulls=time_chart(
            f"NULL in {column.name}",
            [(one.measured_at, one.null_share) for one in history],
            percent,
            shared=[one.null_share for one in found.history],
        ),
        distinct="" if profile is None else count(profile.distinct_count),
        summary=f"{lowest} to {highest}" if lowest or highest else "frequent values" if top else "",
        top=top,
        withheld=withheld,
    )


@pages.listing("/runs/{run}/nodes/{node}/quality/columns")
def quality_columns(request: Request) -> Listing:
    """List the quality of the columns of a node."""
    opened = open_node(request, "quality", "columns")
    view = request.view
    found = node_quality(view.adapter, opened.run, opened.node.unique_id)
    columns = [
        ListColumn("name", "column", "code", link=lambda column: opened.column_link(column.name)),
        ListColumn("type", "type", "code", of=lambda column: column.profile and column.profile.type),
        ListColumn("score", "score", "bar"),
        ListColumn("null_share", "NULL", "share"),
        ListColumn("blank_count", "blank", "number"),
        ListColumn(
            "distinct_count",
            "distinct",
            "number",
            of=lambda column: column.profile and column.profile.distinct_count,
        ),
        ListColumn(
            "values", "values", has_facets=True, of=lambda column: WITHHELD if column.is_private else None
        ),
        ListColumn("reason", "not measured because"),
    ]
    title = f"Quality of {name_of(opened.node)}"
    empty = f"Quality of this node was never measured in {opened.run.environment}."
    measured = found.table.columns if found else ()
    return Listing.of(title, columns, measured, empty=empty, crumbs=opened.inner_crumbs)
