"""The checklist of a review: adds checks that are proposed from stored results, and checks later commits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

import yaml

from recce_meta.api.checklist import (
    FILE,
    asked_check,
    checked,
    checks_file,
    expectation,
    is_asked,
    proposed_check,
    query_check,
    query_of,
    removed,
)
from recce_meta.api.data.option_texts import list_field
from recce_meta.errors import UsageError, quoted
from recce_meta.models.checks import EXPECT, DataCheck, QueryDiffParams, StoredCheck
from recce_meta.models.data_diff import AnyDataDiff, QueryDiff, RowCountDiff, counts_by_id
from recce_meta.report.html.nodes import PageNode
from recce_meta.server.pages.runs.pair import ReportedPair, known_pair
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.stores.query_jobs import QueryJob
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.check_results import list_checks, save_checks
from recce_meta.store.read import list_runs

pages = PageSet()
LONGEST_SENTENCE = 500
"""Characters of the sentence of a check."""
EARLIER_RUNS = 200
"""Newest runs among which those of the same pull request are looked up."""


def _results_of(pair: ReportedPair, unique_id: str) -> list[AnyDataDiff]:
    """Return the stored results of a node; its row counts are the last."""
    found = [one for node in pair.nodes if node.unique_id == unique_id for one in node.results]
    counted = counts_by_id(pair.report.data).get(unique_id)
    return [*found, *([RowCountDiff(counts=(counted,))] if counted else [])]


def proposals(pair: ReportedPair, node: PageNode, types: Collection[str]) -> list[Mapping[str, Any]]:
    """Return the forms that add checks of *types* of a node, one for each result that can be a check."""
    if not pair.can_review:
        return []
    checks = [proposed_check(result) for result in _results_of(pair, node.unique_id)]
    named = ("node", node.unique_id)
    return [_proposal(pair, check, named) for check in checks if check and check.type in types]


def query_proposals(pair: ReportedPair, job: QueryJob | None) -> list[Mapping[str, Any]]:
    """Return the form that adds the query of *job* as a check, if its answer is there and can be one."""
    check = query_check(job.request, job.result) if job is not None and pair.can_review else None
    return [_proposal(pair, check, ("job", job.id))] if job is not None and check is not None else []


def _proposal(pair: ReportedPair, check: DataCheck, result: tuple[str, str]) -> Mapping[str, Any]:
    added = [one for one in pair.report.checks if one.check_name == check.name and EXPECT in one.parameters]
    return {
        "name": check.name,
        "action": pair.to.of("checklist"),
        "hidden": [*_sides(pair), result, ("type", check.type)],
        "text": yaml.safe_dump({EXPECT: expectation(check)}, sort_keys=False, allow_unicode=True).rstrip(),
        "sentence": added[0].description if added else "",
        "is_added": bool(added),
    }


def _answer_of(request: Request, pair: ReportedPair, check: DataCheck) -> AnyDataDiff | None:
    """Return the answer in memory to the query of *check*, with the same key, for the runs of *pair*."""
    for job in request.view.store.queries.jobs():
        if (job.base.run_id, job.current.run_id) == (pair.base.run_id, pair.current.run_id):
            result = job.result
            if isinstance(result, QueryDiff) and query_of(job.request, result) == check.params:
                return result
    return None


def _questions(pair: ReportedPair, earlier: Iterable[StoredCheck]) -> list[tuple[str, str]]:
    """Return names of the queries among *earlier* checks, and the addresses that compare them now."""
    found = [(one, asked_check(one).params) for one in earlier]
    return [
        (
            one.check_name,
            pair.to.query_editor(
                pair.base.run_id,
                pair.current.run_id,
                sql=params.sql_template,
                base_sql=params.base_sql_template,
                key=list_field(*params.primary_keys) or None,
            ),
        )
        for one, params in found
        if isinstance(params, QueryDiffParams)
    ]


def _sides(pair: ReportedPair) -> list[tuple[str, str]]:
    return [("base", pair.base.run_id), ("current", pair.current.run_id)]


def checklist_values(view: StoreView, pair: ReportedPair) -> dict[str, Any]:
    """Return the checks as a file, and those of earlier commits that have no result for these runs."""
    added = [one.check_name for one in pair.report.checks if EXPECT in one.parameters]
    earlier = _earlier(view, pair) if pair.can_review else []
    return {
        "file": checks_file(pair.report.checks),
        "earlier": earlier,
        "questions": _questions(pair, earlier),
        "added": added if pair.can_review else [],
        "again": pair.to.of("checklist", "again"),
        "remove": pair.to.of("checklist", "remove"),
        "sides": _sides(pair),
    }


def _earlier(view: StoreView, pair: ReportedPair) -> list[StoredCheck]:
    """Return the latest result of each check of the checklist that *pair* does not have."""
    current, project = pair.current, pair.current.project_name
    if not (current.pull_request or current.branch):
        return []
    runs = list_runs(view.adapter, project=project, limit=EARLIER_RUNS)
    ids = {
        run.run_id
        for run in runs
        if (run.pull_request, None if run.pull_request else run.branch)
        == (current.pull_request, None if current.pull_request else current.branch)
    }
    known = {check.check_name for check in pair.report.checks}
    latest: dict[str, StoredCheck] = {}
    added = list_checks(view.adapter, project=project, file_name=FILE.name)
    for check in added:  # newest first
        if check.current_run_id in ids and check.check_name not in known:
            latest.setdefault(check.check_name, check)
    return [check for check in latest.values() if not check.is_removed]


@pages.action("/checklist")
def add(request: Request) -> Redirect:
    """Add the check that is proposed for a node, with the sentence of the form."""
    pair = _pair(request)
    sentence = request.form.get("sentence", "").strip()
    if len(sentence) > LONGEST_SENTENCE:
        raise UsageError(f"The sentence has more than {LONGEST_SENTENCE} characters", hint="shorten it")
    kind = request.form.get("type", "value_diff")
    is_query = "job" in request.form
    check, result, place = _asked_query(request) if is_query else _asked_node(request, pair, kind)
    added = checked(check, sentence, result, pair.base, pair.current)
    for one in pair.report.checks:
        is_named = (one.file_name, one.check_name) == (FILE.name, check.name)
        if is_named and _subject(one) != _subject(added):
            raise UsageError(
                f"The checklist has {check.name} for another node or query",
                hint="write it into a file of checks",
            )
    _save(request, [added])
    return Redirect(pair.view(**place))


Asked: TypeAlias = tuple[DataCheck, AnyDataDiff, Mapping[str, str]]
"""A check to add, the result that it is proposed from, and the place in the review that shows it."""


def _asked_node(request: Request, pair: ReportedPair, kind: str) -> Asked:
    unique_id = request.form.get("node", "")
    known = [(proposed_check(result), result) for result in _results_of(pair, unique_id)]
    found = [(check, result) for check, result in known if check and check.type == kind]
    if not found:
        raise UsageError(
            f"No check can be proposed for {unique_id}: it was not compared in full, or not saved",
            hint="compare it on the page of the diff, and save the result",
        )
    return *found[0], {"node": unique_id, "tab": "profile" if kind == "profile_diff" else "data"}


def _asked_query(request: Request) -> Asked:
    request.view.store.permissions.require_queries()
    job = request.view.store.queries.job(request.form["job"], is_seen=True)
    result, check = job.result, query_check(job.request, job.result)
    asked = [request.form.get(side) for side in ("base", "current")]
    if check is None or not isinstance(result, QueryDiff) or asked != [job.base.run_id, job.current.run_id]:
        raise UsageError(
            "No check can be proposed for the query: it was not compared in full, or for other runs",
            hint="compare it again in the panel Query, without a condition",
        )
    return check, result, {"panel": "checks"}


def _subject(check: StoredCheck) -> list[str]:
    """Return the unique ids of the nodes that *check* is about, or its query."""
    given = check.parameters
    return given.get("node_ids") or [given["sql_template"] if "sql_template" in given else given["model"]]


@pages.action("/checklist/remove")
def remove(request: Request) -> Redirect:
    """Remove a check from the checklist; its results stay in the list of checks."""
    pair, name = _pair(request), request.form.get("check", "")
    found = [one for one in pair.report.checks if one.check_name == name and EXPECT in one.parameters]
    if not found:
        hint = "reload the page of the diff: it has the checks of the checklist"
        raise UsageError(f"The checklist has no check {quoted(name)}", hint=hint)
    _save(request, map(removed, found))
    return Redirect(pair.view(panel="checks"))


def _pair(request: Request) -> ReportedPair:
    request.view.store.permissions.require_writes()
    sides = [request.form.get(side, "") for side in ("base", "current")]
    if not all(sides):
        raise UsageError("The form names no runs", hint="add checks on the page of a diff")
    base, current = map(request.view.run, sides)
    return known_pair(request.view, base, current)


def _save(request: Request, checks: Iterable[StoredCheck]) -> None:
    with request.view.store.writing() as adapter:
        save_checks(adapter, checks)


@pages.action("/checklist/again")
def again(request: Request) -> Redirect:
    """Check what earlier commits were checked for, by the stored results of these runs."""
    pair = _pair(request)
    found = []
    for earlier in _earlier(request.view, pair):
        check = asked_check(earlier)
        if isinstance(check.params, QueryDiffParams):
            result = _answer_of(request, pair, check)
        else:
            results = [one for node in _subject(earlier) for one in _results_of(pair, node)]
            result = next((one for one in results if is_asked(check, one)), None)
        if result is not None:
            found.append(checked(check, earlier.description, result, pair.base, pair.current))
    if not found:
        raise UsageError(
            "No check of earlier commits can be judged: these runs have no such results of their nodes",
            hint="press Compare all on the page of the diff, compare the queries, then check again",
        )
    _save(request, found)
    return Redirect(pair.view(panel="checks"))
