"""The checklist of a review: adds checks that are proposed from stored results, and checks later commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from recce_meta.api.checklist import (
    EXPECT,
    FILE,
    asked_check,
    checked,
    checks_file,
    expectation,
    proposed_check,
)
from recce_meta.errors import UsageError
from recce_meta.models.checks import StoredCheck
from recce_meta.models.data_diff import ValueDiff
from recce_meta.report.html.nodes import PageNode
from recce_meta.server.pages.runs.pair import ReportedPair, known_pair
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.check_results import list_checks, save_checks
from recce_meta.store.read import list_runs

pages = PageSet()
LONGEST_SENTENCE = 500
"""Characters of the sentence of a check."""
EARLIER_RUNS = 200
"""Newest runs among which those of the same pull request are looked up."""


def _values_of(pair: ReportedPair, unique_id: str) -> ValueDiff | None:
    """Return the stored value diff of a node."""
    found = (one for node in pair.nodes if node.unique_id == unique_id for one in node.results)
    return next((one for one in found if isinstance(one, ValueDiff)), None)


def proposal_values(pair: ReportedPair, node: PageNode) -> Mapping[str, Any] | None:
    """Return the form that adds a check of the values of *node*; None if there is nothing to add."""
    result = _values_of(pair, node.unique_id)
    check = proposed_check(result) if result is not None and pair.can_review else None
    if check is None:
        return None
    added = [one for one in pair.report.checks if one.check_name == check.name and EXPECT in one.parameters]
    return {
        "action": pair.to.of("checklist"),
        "hidden": [*_sides(pair), ("node", node.unique_id)],
        "text": yaml.safe_dump({EXPECT: expectation(check)}, sort_keys=False, allow_unicode=True).rstrip(),
        "sentence": added[0].description if added else "",
        "is_added": bool(added),
    }


def _sides(pair: ReportedPair) -> list[tuple[str, str]]:
    return [("base", pair.base.run_id), ("current", pair.current.run_id)]


def checklist_values(view: StoreView, pair: ReportedPair) -> dict[str, Any]:
    """Return the checks as a file, and those of earlier commits that have no result for these runs."""
    return {
        "file": checks_file(pair.report.checks),
        "earlier": _earlier(view, pair) if pair.can_review else [],
        "again": pair.to.of("checklist", "again"),
        "sides": _sides(pair),
    }


def _earlier(view: StoreView, pair: ReportedPair) -> list[StoredCheck]:
    """Return the latest result of each check of the checklist that *pair* does not have."""
    current, project = pair.current, pair.current.project_name
    if not (current.pull_request or current.branch):
        return []
    runs = list_runs(view.adapter, project=project, schema=view.schema, limit=EARLIER_RUNS)
    ids = {
        run.run_id
        for run in runs
        if (run.pull_request, None if run.pull_request else run.branch)
        == (current.pull_request, None if current.pull_request else current.branch)
    }
    known = {check.check_name for check in pair.report.checks}
    latest: dict[str, StoredCheck] = {}
    added = list_checks(view.adapter, project=project, file_name=FILE.name, schema=view.schema)
    for check in added:  # newest first
        if check.current_run_id in ids and check.check_name not in known:
            latest.setdefault(check.check_name, check)
    return list(latest.values())


@pages.action("/checklist")
def add(request: Request) -> Redirect:
    """Add the check that is proposed for a node, with the sentence of the form."""
    pair = _pair(request)
    unique_id, sentence = request.form.get("node", ""), request.form.get("sentence", "").strip()
    if len(sentence) > LONGEST_SENTENCE:
        raise UsageError(f"The sentence has more than {LONGEST_SENTENCE} characters", hint="shorten it")
    result = _values_of(pair, unique_id)
    check = proposed_check(result) if result is not None else None
    if result is None or check is None:
        raise UsageError(
            f"No check can be proposed for {unique_id}: its values were not compared in full, or not saved",
            hint="compare its values on the page of the diff, and save the result",
        )
    for one in pair.report.checks:
        if one.check_name == check.name and one.parameters.get("model", unique_id) != unique_id:
            raise UsageError(
                f"The checklist has {check.name} for another node", hint="write it into a file of checks"
            )
    _save(request, [checked(check, sentence, result, pair.base, pair.current)])
    return Redirect(pair.view(node=unique_id, tab="data"))


def _pair(request: Request) -> ReportedPair:
    request.view.store.permissions.require_writes()
    sides = [request.form.get(side, "") for side in ("base", "current")]
    if not all(sides):
        raise UsageError("The form names no runs", hint="add checks on the page of a diff")
    base, current = map(request.view.run, sides)
    return known_pair(request.view, base, current)


def _save(request: Request, checks: Iterable[StoredCheck]) -> None:
    with request.view.store.writing() as adapter:
        save_checks(adapter, checks, schema=request.view.schema)


@pages.action("/checklist/again")
def again(request: Request) -> Redirect:
    """Check what earlier commits were checked for, by the stored results of these runs."""
    pair = _pair(request)
    found = []
    for earlier in _earlier(request.view, pair):
        check, params = asked_check(earlier)
        result = _values_of(pair, params.model)
        # Of another key, or of some rows: this says nothing of what the check asks.
        if result is not None and result.key == params.primary_key and not result.is_narrowed:
            found.append(checked(check, earlier.description, result, pair.base, pair.current))
    if not found:
        raise UsageError(
            "No check of earlier commits can be judged: these runs have no stored values of their nodes",
            hint="press Compare all on the page of the diff, then check again",
        )
    _save(request, found)
    return Redirect(pair.view(panel="checks"))
