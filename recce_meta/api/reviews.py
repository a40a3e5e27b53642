"""Reviews: marks of reviewers on nodes and checks, compared with the present version of each.

The version of a node under review is its content and that of the project's macros that it calls, on both
sides. The version of a check is its last stored result on the same two runs. Data diffs are not part of the
version of a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import NamedTuple

import msgspec

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.runs import find_node
from recce_meta.errors import SelectorError, UnknownNameError, UsageError
from recce_meta.models import RunMetadata
from recce_meta.models.adapters import base_name, is_builtin
from recce_meta.models.checks import StoredCheck
from recce_meta.models.marks.review import (
    LONGEST_COMMENT,
    LONGEST_REVIEWER,
    PairReviews,
    Review,
    ReviewMark,
    ReviewStatus,
    marks_of,
)
from recce_meta.models.rows import ResultList
from recce_meta.store.check_results import find_checks
from recce_meta.store.content import digest
from recce_meta.store.marks import reviews as stored
from recce_meta.store.marks.reviews import MacroState, NodeState, find_reviews, save_reviews
from recce_meta.store.read import narrow_nodes
from recce_meta.store.select import resolve_run
from recce_meta.store.session import StoreSession, open_store

LATEST = "latest"
_encode = msgspec.json.encode


class ReviewedPair(NamedTuple):
    """Two runs under review; base is None if the current run is reviewed alone."""

    base: RunMetadata | None
    current: RunMetadata


def review(
    adapter: UnifiedSqlAdapter,
    node: str | None = None,
    current: str = LATEST,
    base: str | None = None,
    *,
    check: str | None = None,
    status: str = ReviewStatus.APPROVED.value,
    comment: str = "",
    reviewer: str,
    fingerprint: str | None = None,
    project: str | None = None,
) -> Review:
    """Store the mark of a reviewer on *node* or on *check* of two runs, and return it as it is stored.

    *node* is a name or a unique id; *check* is the name of a check with a stored result of these runs.
    *current* and *base* are run selectors; without *base*, the current run is reviewed alone. *status* is
    seen, approved, or withdrawn, which takes back the reviewer's earlier marks on the same version. *comment*
    is at most 2,000 characters, and *reviewer* a name of at most 100; passwords in both are masked. Give
    *fingerprint*, that of an earlier look, to refuse the mark if the node or check changed since. *adapter*
    connects to the store. *project* limits the selectors to one project.

    Raises UsageError for an invalid argument, and SelectorError or RunNotFound for a name that is not found.
    """
    name, text = _reviewer(reviewer), _comment(comment)
    if status not in set(map(str, ReviewStatus)):
        raise UnknownNameError("status", status, [*map(str, ReviewStatus)])
    if (node is None) == (check is None):
        raise UsageError("A review is of a node or of a check", hint="pass one of them")
    pair = ReviewedPair(
        None if base is None else resolve_run(adapter, base, project=project),
        resolve_run(adapter, current, project=project),
    )
    if pair.base is not None and pair.base.project_name != pair.current.project_name:
        raise UsageError("The runs are of different projects", hint="choose two runs of one project")
    unique_id = None if node is None else _unique_id(adapter, pair, node)
    present = fingerprint_of(adapter, pair, unique_id=unique_id, check_name=check)
    if fingerprint is not None and fingerprint != present:
        raise UsageError(
            f"{check or unique_id} changed since it was looked at",
            hint="reload the page, and review it again",
        )
    mark = Review(
        review_id="",
        reviewed_at=datetime.now(timezone.utc),
        project_name=pair.current.project_name,
        base_run_id=None if pair.base is None else pair.base.run_id,
        current_run_id=pair.current.run_id,
        unique_id=unique_id,
        check_name=check,
        status=status,
        comment=text,
        reviewer=name,
        fingerprint=present,
        recorder_version=__version__,
    )
    (found,) = save_reviews(adapter, [mark])
    return found


def list_reviews(
    adapter: UnifiedSqlAdapter,
    *,
    run: str | None = None,
    node: str | None = None,
    check: str | None = None,
    limit: int | None = None,
    project: str | None = None,
) -> ResultList[Review]:
    """Return the stored marks of reviewers, newest first, with those that were withdrawn.

    *run* is the selector of their current run, *node* the unique id of the reviewed node, *check* the name of
    the reviewed check. *limit* is the largest number of marks. *adapter* connects to the store. *project*
    limits the result and the selector to one project.
    """
    found = None if run is None else resolve_run(adapter, run, project=project)
    return stored.list_reviews(
        adapter, run=found, project=project, unique_id=node, check_name=check, limit=limit
    )


def reviews_of_pair(
    adapter: UnifiedSqlAdapter, base: RunMetadata | None, current: RunMetadata
) -> PairReviews:
    """Return the marks on the nodes and checks of two runs, each compared with its present version.

    Marks of other runs of the project are included: they are valid if both sides have the same version.
    """
    pair = ReviewedPair(base, current)
    with open_store(adapter) as store:
        events = find_reviews(store, project=current.project_name)
        by_node = _grouped((event.unique_id, event) for event in events)
        by_check = _grouped((event.check_name, event) for event in events)
        nodes = _node_fingerprints(store, pair, list(by_node)) if by_node else {}
        checks = check_fingerprints(_checks_of(store, pair)) if by_check else {}
    return PairReviews(
        nodes=_marked(by_node, nodes),
        checks=_marked(by_check, checks),
    )


def _grouped(events: Iterable[tuple[str | None, Review]]) -> dict[str, list[Review]]:
    found: dict[str, list[Review]] = {}
    for name, event in events:
        if name is not None:
            found.setdefault(name, []).append(event)
    return found


def _marked(
    events: Mapping[str, Sequence[Review]], present: Mapping[str, str]
) -> dict[str, tuple[ReviewMark, ...]]:
    """Return the marks on each object that the runs have."""
    found = {name: marks_of(events[name], present[name]) for name in sorted(events) if name in present}
    return {name: marks for name, marks in found.items() if marks}


def fingerprint_of(
    adapter: UnifiedSqlAdapter,
    pair: ReviewedPair,
    *,
    unique_id: str | None = None,
    check_name: str | None = None,
) -> str:
    """Return the fingerprint of the present version of a node or of a check.

    Raises SelectorError if neither run has the node, or no result of the check is stored for these runs.
    """
    with open_store(adapter) as store:
        if unique_id is not None:
            found, name = _node_fingerprints(store, pair, [unique_id]), unique_id
            message, hint = f"Neither run has the node {name}", "recce-meta show RUN lists the nodes"
        else:
            found, name = check_fingerprints(_checks_of(store, pair)), str(check_name)
            message = f"No result of the check {name} is stored for these runs"
            hint = "recce-meta check run FILE --save stores results"
    if name not in found:
        raise SelectorError(message, hint=hint)
    return found[name]


def check_fingerprints(checks: Iterable[StoredCheck]) -> dict[str, str]:
    """Return the fingerprint of each check of one pair of runs by its name, from its last results."""
    ids: dict[str, list[str]] = {}
    for check in last_results(checks):
        ids.setdefault(check.check_name, []).append(check.check_result_id)
    return {name: digest(_encode(["check", *found])) for name, found in ids.items()}


def marks_of_checks(
    checks: Iterable[StoredCheck], events: Iterable[Review]
) -> dict[str, tuple[ReviewMark, ...]]:
    """Return the marks on the results *checks* by id; only the last result of a check on its runs has any.

    *checks* are all results of these checks on their runs, or at least the last ones.
    """
    known = _grouped((event.check_name, event) for event in events)
    pairs: dict[tuple[str | None, str | None], list[StoredCheck]] = {}
    for check in checks:
        if check.check_name in known:
            pairs.setdefault(runs_of(check), []).append(check)
    found: dict[str, tuple[ReviewMark, ...]] = {}
    for of_pair in pairs.values():
        present = check_fingerprints(of_pair)
        for check in last_results(of_pair):
            own = [event for event in known[check.check_name] if event.current_run_id == runs_of(check)[1]]
            found[check.check_result_id] = marks_of(own, present[check.check_name])
    return found


def last_results(checks: Iterable[StoredCheck]) -> list[StoredCheck]:
    """Return the last result of each check of one pair of runs, by name and file."""
    latest: dict[tuple[str, str], StoredCheck] = {}
    for check in sorted(checks, key=lambda one: (one.checked_at, one.check_result_id)):
        latest[check.check_name, check.file_name] = check
    return [check for _, check in sorted(latest.items())]


def _checks_of(store: StoreSession, pair: ReviewedPair) -> list[StoredCheck]:
    """Return the stored results of the checks of exactly these runs."""
    wanted = pair.base and pair.base.run_id, pair.current.run_id
    found = find_checks(store, run_id=pair.current.run_id)
    return [one for one in found if runs_of(one) == wanted]


def runs_of(check: StoredCheck) -> tuple[str | None, str | None]:
    """Return base and current run of *check*; a check of one run is one of its current run."""
    if check.current_run_id is None:
        return None, check.base_run_id
    return check.base_run_id, check.current_run_id


def _node_fingerprints(store: StoreSession, pair: ReviewedPair, ids: Sequence[str]) -> dict[str, str]:
    """Return the fingerprint of each node of *ids* that one of the runs has."""
    sides = [{} if run is None else _states(store, run, ids) for run in pair]
    alone = pair.base is None
    return {
        # A mark on one run alone must not count for the same version in a pair.
        unique_id: digest(_encode(["node", alone, *(side.get(unique_id) for side in sides)]))
        for unique_id in ids
        if any(unique_id in side for side in sides)
    }


def _states(store: StoreSession, run: RunMetadata, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the version of each node of *ids* in *run*, followed by those of the macros that matter."""
    nodes = stored.node_states(store, run, ids)
    macros = _ReviewedMacros(stored.macro_states(store, run)) if nodes else _ReviewedMacros(())
    return {unique_id: (node.version_id, *macros.versions_for(node)) for unique_id, node in nodes.items()}


class _ReviewedMacros:
    """Macros of one run: those that may change what a node builds."""

    def __init__(self, macros: Iterable[MacroState]) -> None:
        self._macros = {macro.unique_id: macro for macro in macros}
        own = [macro for macro in self._macros.values() if not is_builtin(macro.package)]
        builtin = {base_name(one.name) for one in self._macros.values() if is_builtin(one.package)}
        # dbt 2.0 does not list the macros that a macro calls: then any macro of the project may matter.
        has_calls = any(macro.macros for macro in self._macros.values())
        # dbt runs a macro that overrides its own although no node lists it.
        self._always = [macro.unique_id for macro in own if not has_calls or base_name(macro.name) in builtin]

    def versions_for(self, node: NodeState) -> list[str]:
        """Return the versions of the macros behind *node*, without those of dbt and its adapter."""
        found: set[str] = set()
        waiting = [*node.macros, *self._always]
        while waiting:
            macro = self._macros.get(waiting.pop())
            if macro is None or macro.unique_id in found:
                continue
            found.add(macro.unique_id)
            waiting += macro.macros
        return sorted(
            self._macros[one].version_id for one in found if not is_builtin(self._macros[one].package)
        )


def _unique_id(adapter: UnifiedSqlAdapter, pair: ReviewedPair, node: str) -> str:
    """Return the unique id that *node* names in one of the runs, preferably in current."""
    runs = [run for run in pair if run is not None]
    with open_store(adapter) as store:
        if any(stored.node_states(store, run, [node]) for run in runs):
            return node
        # Current is the last, so that its nodes replace those of base.
        return find_node(node, {one.unique_id: one for run in runs for one in narrow_nodes(store, run)})


def _reviewer(given: str) -> str:
    name = " ".join(given.split())
    if not name:
        raise UsageError("The name of the reviewer is missing", hint="give a name")
    if len(name) > LONGEST_REVIEWER:
        raise UsageError(
            f"The name of the reviewer is longer than {LONGEST_REVIEWER} characters",
            hint="use a shorter name",
        )
    return name


def _comment(given: str) -> str:
    # Browsers send CRLF in forms.
    text = given.replace("\r\n", "\n").strip()
    if len(text) > LONGEST_COMMENT:
        raise UsageError(
            f"The comment has {len(text):,} characters, more than {LONGEST_COMMENT:,}",
            hint="shorten it, or link to a longer text",
        )
    return text
