"""Answers of data diffs that users started, and their questions as addresses of the review."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec.structs import replace

from recce_meta.api.data.requests import REQUESTED, DataDiffRequest, option_texts
from recce_meta.data_diff.row_sample import RowSample
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.data_diff import ValueDiff
from recce_meta.models.diff_kinds import ALL_NODES, DETAIL, LENIENT, QUERY
from recce_meta.report.addresses import Addresses
from recce_meta.report.labels import node_label
from recce_meta.server.pages.forms.editor import LONGEST_ADDRESS
from recce_meta.server.pages.forms.offers import OF_PROFILE, withheld_reason
from recce_meta.server.pages.runs.blocks import data_blocks
from recce_meta.server.pages.runs.pair import ReportedPair
from recce_meta.server.site.handlers import Request
from recce_meta.server.stores.queries import HEARTBEAT_SECONDS, HIDDEN_SECONDS
from recce_meta.server.stores.query_jobs import JobState, QueryJob, request_of, title_of_request
from recce_meta.server.stores.stores import StoreView

STATEMENTS_SHOWN = 30
"""Statements of a job that the page shows; its JSON has more."""
_SENTENCES = {
    JobState.QUEUED: "waits for its turn",
    JobState.RUNNING: "is running",
    JobState.DONE: "is done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "was cancelled",
}
_SLICES_OFFERED = 3
_FIELDS = {**{name: one.field_name for name, one in REQUESTED.items()}, "sql": "current_sql"}
"""Fields of the form by their name in an address."""
QUESTION = ("kind", *_FIELDS, "base_sql")
"""Parameters of an address that ask a question about data."""


def question_of(asked: DataDiffRequest) -> dict[str, str]:
    """Return the parameters of an address that asks *asked*; a query has no kind."""
    given = {
        "kind": None if asked.kind is QUERY else asked.kind.name,
        **option_texts(asked),
        "sql": asked.current_sql,
        "base_sql": asked.base_sql,
    }
    return {name: value for name, value in given.items() if value}


def fields_of(asked: DataDiffRequest) -> Mapping[str, str]:
    """Return the fields of the form that asks the same again."""
    fields = {_FIELDS.get(name, name): value for name, value in question_of(asked).items()}
    sides = {"kind": asked.kind.name, "base": asked.base, "current": asked.current}
    return {**fields, **sides, **({"node": asked.node} if asked.node else {})}


def review_address(to: Addresses, job: QueryJob) -> str:
    """Return the address of the review that asks the question of *job*, or names it if that is too long."""
    asked = job.request
    if asked.kind is ALL_NODES:
        return to.diff(asked.base, asked.current)
    tab = "profile" if asked.kind.name in OF_PROFILE else "data"
    place = {"node": asked.node, "tab": tab} if asked.node else {"panel": "query"}
    address = to.diff(asked.base, asked.current, **place, **question_of(asked))
    return (
        address
        if len(address) <= LONGEST_ADDRESS
        else to.diff(asked.base, asked.current, **place, result=job.id)
    )


def asked_job(
    request: Request, pair: ReportedPair, kinds: Collection[str], node: str | None = None
) -> QueryJob | None:
    """Return the latest job that answers the question of the address, and note that its reader is there.

    An address without a question gets the latest job of *node*. Raises UsageError for an invalid question.
    """
    queries, query = request.view.store.queries, request.query
    if not request.view.store.permissions.queries:
        return None
    base, current = pair.base.run_id, pair.current.run_id
    found = [
        job
        for job in queries.jobs()
        if (job.base.run_id, job.current.run_id, job.request.node) == (base, current, node)
        and job.request.kind.name in kinds
    ]
    given = {_FIELDS.get(name, name): query[name] for name in QUESTION if name in query}
    if "result" in query:
        found = [job for job in found if job.id == query["result"]]
    elif "kind" in given or "current_sql" in given:
        sides = {"base": base, "current": current, "node": node or ""}
        asked = request_of({"kind": QUERY.name, **given, **sides})
        found = [job for job in found if job.request == asked]
    elif node is None:
        return None
    return queries.job(found[0].id, is_seen=True) if found else None


def values_in_memory(request: Request, job: QueryJob) -> Iterator[ValueDiff]:
    """Yield the comparisons of values of the rows that *job* lists, the latest first."""

    def rows(one: QueryJob) -> tuple[str | None, ...]:
        asked = one.request
        return one.base.run_id, one.current.run_id, asked.node, asked.where

    for one in request.view.store.queries.jobs():
        if isinstance(one.result, ValueDiff) and rows(one) == rows(job):
            yield one.result


def job_of_all(request: Request, pair: ReportedPair) -> QueryJob | None:
    """Return the latest comparison of all nodes, if the page has to say something of it."""
    queries, ids = request.view.store.queries, (pair.base.run_id, pair.current.run_id)
    if not request.view.store.permissions.queries:
        return None
    for job in queries.jobs():
        if job.request.kind is ALL_NODES and (job.base.run_id, job.current.run_id) == ids:
            # The verdict and the list have what was saved.
            is_told = job.saved_at is not None and job.state is JobState.DONE and job.reason is None
            return None if is_told else queries.job(job.id, is_seen=True)
    return None


def node_of(view: StoreView, unique_id: str, runs: Sequence[RunMetadata]) -> NodeMetadata | None:
    """Return the node *unique_id*, that of the last of *runs* that has it."""
    # From the graphs in memory: the list of jobs must not read the store for each.
    found = (view.graph(run).names.get(unique_id) for run in reversed(runs))
    return next((node for node in found if node is not None), None)


def job_title(view: StoreView, job: QueryJob) -> str:
    """Return `Row count of orders`."""
    unique_id = job.request.node
    node = node_of(view, unique_id, (job.base, job.current)) if unique_id is not None else None
    return title_of_request(job.request, None if node is None else node_label(node))


def _can_explain(job: QueryJob) -> bool:
    result = job.result
    return isinstance(result, ValueDiff) and result.why is None and result.is_equal is False


def _rows_of_slices(view: StoreView, job: QueryJob) -> dict[str, Mapping[str, str]]:
    """Return the conditions of the slices of *job*, with the fields that ask for their rows.

    Only columns that are the same in all rows have one: by others, a changed row meets the condition on one
    side, and would be listed as added or removed.
    """
    result = job.result
    if not isinstance(result, ValueDiff) or result.why is None or withheld_reason(view, DETAIL, "true"):
        return {}
    if any(getattr(result, name) for name in LENIENT):
        return {}
    same = {one.name for one in result.columns if one.mismatched == 0 and one.base_type == one.current_type}
    found = {}
    for one in result.why.slices:
        if all(not each.relation and each.column in same for each in one.conditions):
            sql = one.sql if job.request.where is None else f"({job.request.where}) AND ({one.sql})"
            asked = replace(job.request, kind=DETAIL, why=False, where=sql)
            found[" and ".join(each.text for each in one.conditions)] = fields_of(asked)
    return dict(islice(found.items(), _SLICES_OFFERED))


def result_values(request: Request, pair: ReportedPair, job: QueryJob) -> dict[str, Any]:
    """Return what the template shows of *job*."""
    result, address = job.result, request.to.queries(job.id)
    is_all = job.request.kind is ALL_NODES
    phrase = _SENTENCES[job.state]
    # The warehouse may need seconds to stop a statement.
    if job.reason is not None and not job.state.is_over:
        phrase = "is being cancelled"
    return {
        "job": job,
        "heading": f"{job_title(request.view, job)} {phrase}",
        "is_active": not job.state.is_over,
        "address": address,
        "fragment": f"{pair.address}/{'all' if is_all else 'drawer'}{request.query.encoded()}",
        "again": request.to.queries(),
        "fields": fields_of(job.request),
        "explain": fields_of(replace(job.request, why=True)) if _can_explain(job) else None,
        "slices": _rows_of_slices(request.view, job),
        "blocks": [] if is_all else list(data_blocks(job.results, is_open=True)),
        "sample": result if isinstance(result, RowSample) else None,
        # A copy, because the thread of the job adds statements meanwhile.
        "statements": list(job.statements)[:STATEMENTS_SHOWN],
        "may_write": request.view.store.permissions.writes,
        "heartbeat": f"{HEARTBEAT_SECONDS:g}",
        "hidden": f"{HIDDEN_SECONDS:g}",
    }
