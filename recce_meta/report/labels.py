"""Labels shared by all reports: names of nodes, resource types, runs and counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from recce_meta.errors import agree, plural
from recce_meta.models.change import (
    BY_GUESS,
    CERTAIN,
    COSMETIC,
    Category,
    Change,
    Impact,
    Reach,
    Reason,
    RunDiff,
    Status,
)
from recce_meta.models.run import FAILED, OUTDATED, UNBUILT, RunMetadata, part_note
from recce_meta.report.terminal import shorten

KINDS = {
    "model": "models",
    "seed": "seeds",
    "snapshot": "snapshots",
    "source": "sources",
    "exposure": "exposures",
    "metric": "metrics",
    "semantic_model": "semantic models",
    "saved_query": "saved queries",
    "function": "functions",
    "analysis": "analyses",
    "operation": "operations",
    "test": "tests",
    "unit_test": "unit tests",
    "schema": "schemas",
    "table": "tables",
    "external_table": "external tables",
    "view": "views",
    "materialized_view": "materialized views",
}
"""Resource types in the order of the reports, with their plurals."""

TESTS = frozenset({"test", "unit_test"})
"""Resource types that are counted rather than listed: a model has many tests, and they change with it."""

WITHOUT_SQL = frozenset({"exposure", "metric", "semantic_model", "saved_query", "unit_test"})
"""Resource types whose columns are never known, so that an effect on them is always one on the whole node."""

UNMARKED = frozenset({"model", "view"})
"""Resource types that most downstream nodes have; their names are shown without the type."""

_RELATION = "relation."
"""Prefix of the unique id of a scanned relation."""

_HASH = re.compile(r"[0-9a-fA-F]{8}[0-9a-fA-F-]{8,}")
_KIND_RANK = {kind: rank for rank, kind in enumerate(KINDS)}
_EFFECT_RANK = {
    Category.BREAKING: 0,
    Category.PARTIAL_BREAKING: 1,
    Category.UNKNOWN: 2,
    None: 3,
    Category.NON_BREAKING: 3,
    Category.NONE: 4,
}
_STATUS_RANK = {Status.REMOVED: 0, Status.MODIFIED: 1, Status.ADDED: 2, Status.UNCHANGED: 3}


class NamedNode(Protocol):
    """Anything that identifies a node."""

    @property
    def unique_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def resource_type(self) -> str: ...


class DiffSummary(Struct, frozen=True, kw_only=True):
    """Number of nodes in each category of a diff."""

    added: int
    removed: int
    modified: int
    impacted: int
    """Unchanged nodes that are affected by a change."""
    downstream: int
    """Unchanged nodes downstream of a change, affected or not."""
    perhaps: int
    """Those of `impacted` whose SQL was not traced or is a guess, so that it is not certain."""
    fails: int
    """Nodes that certainly fail: those that reference a removed column, or that dbt cannot build."""
    perhaps_fails: int
    """Further nodes that reference such a column by a guess."""
    may_fail: int
    """Nodes of which it is not known whether they fail, those by a guess included."""
    formatting: int
    """Nodes that differ only in formatting, and possibly in environment."""
    environment: int
    """Nodes that differ only in environment."""
    categories: dict[str, int]
    """Number of changes by category."""


def summarise(diff: RunDiff) -> DiffSummary:
    """Count the nodes of *diff* by status and category."""
    statuses = Counter(change.status for change in diff.changes)
    formatting = sum(Reason.FORMATTING in c.reasons for c in diff.changes if c.status is Status.UNCHANGED)
    nodes: list[Impact | Change] = [*diff.impacted, *diff.changed]
    return DiffSummary(
        added=statuses[Status.ADDED],
        removed=statuses[Status.REMOVED],
        modified=statuses[Status.MODIFIED],
        impacted=len(diff.impacted),
        downstream=len(diff.impacted) + diff.unreached,
        perhaps=sum(map(_is_doubtful, diff.impacted)),
        fails=sum(one.fails for one in nodes),
        perhaps_fails=sum(one.may_fail == BY_GUESS for one in nodes),
        may_fail=sum(bool(one.may_fail) for one in nodes),
        formatting=formatting,
        environment=statuses[Status.UNCHANGED] - formatting,
        categories={
            category.value: sum(change.category is category for change in diff.changed)
            for category in Category
        },
    )


def is_unsure(impact: Impact) -> bool:
    """Return True if the column lineage of *impact* contains a guess."""
    return impact.reach is not None and impact.confidence < CERTAIN


def _is_doubtful(impact: Impact) -> bool:
    """Return True if a node with SQL may be unaffected."""
    is_guess = is_unsure(impact) or impact.reach is Reach.UNKNOWN
    return is_guess and impact.resource_type not in WITHOUT_SQL


_INCOMPLETE = "the comparison is incomplete"
PASSED = "✅"
"""Sign of what is equal, passed or was approved."""
NO_CHANGE = "no change"
NO_CHANGES = "No changes"
"""Headline of a diff without a change."""
SAME_CODE = "the same code"
UNCHANGED = "unchanged"


def unaffected(notes: Sequence[str]) -> str:
    """Return that no change affects a node; weaker if *notes* say what of the diff is not compared."""
    return f"No known change affects it; {_INCOMPLETE}." if notes else "No change affects it."


def unchanged_in(environment: str, limits: Iterable[str] = ()) -> str:
    """Return that a node is equal in all stored runs of *environment*, apart from *limits*."""
    return f"{UNCHANGED.capitalize()} in all stored runs of {environment} up to this run{''.join(limits)}."


INCOMPLETE = f"No changes found; {_INCOMPLETE}"
"""Headline of a diff without a change, and with notes on what could not be compared."""
NOTHING_SELECTED = "Nothing compared: the selection matches no node"
"""Headline of a diff with a selection that matches no node."""


def summary_phrases(diff: RunDiff, *, with_equal: bool = True) -> list[str]:
    """Return `3 modified`, `5 removed (2 tests)` and so on, without zeros.

    Nodes that differ in formatting or environment only are counted if *with_equal*.
    """
    summary = summarise(diff)
    tests = Counter(change.status for change in diff.changed if change.resource_type in TESTS)
    counted = {
        Status.MODIFIED: summary.modified,
        Status.ADDED: summary.added,
        Status.REMOVED: summary.removed,
    }
    phrases = [
        f"{count:,} {status}" + (f" ({plural(tests[status], 'test')})" if tests[status] else "")
        for status, count in counted.items()
        if count
    ]
    for word, count in (("formatting", summary.formatting), ("environment", summary.environment)):
        if count and with_equal:
            phrases.append(f"{count:,} {agree(count, 'differ')} in {word} only")
    return phrases


SEVERE = {
    Category.BREAKING: "breaking",
    Category.PARTIAL_BREAKING: "partial breaking",
    Category.UNKNOWN: "unknown",
}
"""Categories that downstream queries may not survive."""


def severe_phrases(summary: DiffSummary) -> list[str]:
    """Return `2 breaking`, `1 partial breaking`, `1 unknown`, without zeros."""
    counts = summary.categories
    return [f"{counts[key.value]:,} {word}" for key, word in SEVERE.items() if counts.get(key.value)]


def fail_phrases(summary: DiffSummary) -> list[str]:
    """Return `3 nodes fail`, or `at least 3 nodes fail` if others may; empty without a removed column."""
    sure, guesses = summary.fails, summary.perhaps_fails
    if not sure and guesses:
        return [f"{plural(guesses, 'node')} perhaps {agree(guesses, 'fail')}"]
    if not sure:
        return [f"{plural(summary.may_fail, 'node')} may fail"] if summary.may_fail else []
    at_least = "at least " if summary.may_fail or summary.perhaps else ""
    return [f"{at_least}{plural(sure, 'node')} {agree(sure, 'fail')}"]


def downstream_phrase(summary: DiffSummary) -> str:
    """Return `16 downstream nodes`, or `3 of 16 downstream nodes affected, 1 perhaps` if some are not."""
    nodes = plural(summary.downstream, "downstream node")
    doubt = f", {summary.perhaps:,} perhaps" if summary.perhaps else ""
    if summary.impacted == summary.downstream:
        return f"{nodes}{doubt}"
    count = f"{summary.impacted:,}" if summary.impacted else "none"
    return f"{count} of {nodes} affected{doubt}"


def count_of(count: int, resource_type: str) -> str:
    """Return `1 model` or `2 saved queries`."""
    if count == 1:
        return f"1 {resource_type.replace('_', ' ')}"
    return f"{count:,} {kind_plural(resource_type)}"


def kind_plural(resource_type: str) -> str:
    """Return `models` or `saved queries`; an unknown type gets an s."""
    return KINDS.get(resource_type) or resource_type.replace("_", " ") + "s"


def counts_by_kind(counts: Mapping[str, int]) -> str:
    """Return `5 models, 1 exposure, 14 tests`, in the order of the reports."""
    return ", ".join(count_of(counts[kind], kind) for kind in sorted(counts, key=kind_order) if counts[kind])


def kind_order(resource_type: str) -> tuple[int, str]:
    """Return the sort key of a resource type; unknown types are last."""
    return _KIND_RANK.get(resource_type, len(_KIND_RANK)), resource_type


def node_label(node: NamedNode) -> str:
    """Return a node's display name: `raw.orders` for a source or a relation, `orders.v2` for a version."""
    own_part = node_part(node.unique_id)
    is_version = node.resource_type == "model" and own_part.startswith(f"{node.name}.v")
    is_scanned = node.unique_id.startswith(_RELATION)
    if own_part.strip() and (node.resource_type == "source" or is_version or is_scanned):
        return own_part
    return node.name or node.unique_id


def short_id(unique_id: str) -> str:
    """Return a unique id without its package: `model.shop.orders` becomes `model.orders`."""
    if unique_id.startswith(_RELATION):
        return unique_id.removeprefix(_RELATION)
    # Names may contain dots; resource types and packages do not.
    parts = unique_id.split(".", 2)
    return f"{parts[0]}.{parts[2]}" if len(parts) == 3 else unique_id


def node_part(unique_id: str) -> str:
    """Return a unique id without resource type, package, and the hash of a generic test."""
    if unique_id.startswith(_RELATION):
        return unique_id.removeprefix(_RELATION)
    parts = unique_id.split(".", 2)
    if len(parts) < 3:
        return unique_id
    return parts[2].rsplit(".", 1)[0] if parts[0] == "test" else parts[2]


def by_kind(changes: Iterable[Change]) -> dict[str, list[Change]]:
    """Group *changes* by resource type; within a group, the most harmful are first.

    Changes of the same harm are ordered by status: removed, modified, added.
    """
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.resource_type, []).append(change)
    for group in groups.values():
        group.sort(key=_weight)
    return {kind: groups[kind] for kind in sorted(groups, key=kind_order)}


def by_harm(changes: Iterable[Change]) -> list[Change]:
    """Return *changes* with the most harmful first, whatever their type; of equal harm, tests are last."""

    def key(change: Change) -> tuple[int, bool, tuple[int, str], tuple[int, int, str, str]]:
        weight, kind = _weight(change), change.resource_type
        return weight[0], kind in TESTS, kind_order(kind), weight

    return sorted(changes, key=key)


def _weight(change: Change) -> tuple[int, int, str, str]:
    # A node that no longer runs is worse than any change of its data.
    rank = -1 if change.fails else _EFFECT_RANK[change.category]
    return rank, _STATUS_RANK[change.status], change.name, change.unique_id


def main_reasons(change: Change) -> list[str]:
    """Return the names of the reasons that are not cosmetic."""
    return [reason.value for reason in change.reasons if reason not in COSMETIC]


def short_run_id(run_id: str) -> str:
    """Return the first eight characters of a UUID or hash, which select a run; any other id unchanged."""
    return run_id[:8] if _HASH.fullmatch(run_id) else shorten(run_id, 24)


def short_sha(sha: str | None) -> str:
    """Return the first seven characters, as git shows them."""
    return (sha or "")[:7]


def revision(run: RunMetadata) -> str:
    """Return `main@a1b2c3d`, with a `*` if the work tree had changes; empty if git is unknown."""
    sha = short_sha(run.git_sha) + ("*" if run.git_dirty else "")
    return f"{run.branch}@{sha}" if run.branch and sha else run.branch or sha


def dirty_legend(*runs: RunMetadata) -> str:
    """Return what the `*` after a commit means; an empty string if no commit of *runs* has one."""
    is_starred = any(run.git_dirty and run.git_sha for run in runs)
    return "* the code is not that of the commit" if is_starred else ""


def build_outcome(run: RunMetadata) -> str:
    """Return `build failed, 1 error, 4 skipped`; an empty string if the run has no results."""
    if run.build_status is None:
        return ""
    counts = [
        count_of(run.build_errors, "error") if run.build_errors else "",
        count_of(run.build_failures, "failed test") if run.build_failures else "",
        count_of(run.build_warnings, "warning") if run.build_warnings else "",
        f"{run.build_skipped:,} skipped" if run.build_skipped else "",
    ]
    verdict = "build failed" if run.build_status == FAILED else "build succeeded"
    return ", ".join(filter(None, (verdict, *counts)))


def build_problem(run: RunMetadata) -> str:
    """Return `build_outcome` of a build that failed or skipped a node; else an empty string."""
    return build_outcome(run) if run.build_status == FAILED or run.build_skipped else ""


def run_problem(run: RunMetadata) -> str:
    """Return why *run* is not a complete build of its project; an empty string if it is."""
    if run.status != FAILED:
        return build_problem(run)
    return "scan failed" if run.extractor == "database" else "run failed"


def build_problems(diff: RunDiff) -> list[str]:
    """Return `base: build failed, 1 error, 4 skipped` for each side whose build failed or skipped a node.

    A build with `--empty` or `--sample` has a sentence as well.
    """
    sides = (("base", diff.base), ("current", diff.current))
    failed = [f"{side}: {problem}" for side, run in sides if (problem := build_problem(run))]
    return [*failed, *part_notes(diff)]


def unbuilt_notes(diff: RunDiff) -> list[str]:
    """Return the note that no build of a side is recorded, so that its tables may be older than its code."""
    return _choice_notes(diff, UNBUILT)


def outdated_notes(diff: RunDiff) -> list[str]:
    """Return the note that current is of another commit than the one that is checked out."""
    return _choice_notes(diff, OUTDATED)


def _choice_notes(diff: RunDiff, start: str) -> list[str]:
    notes = () if diff.choice is None else diff.choice.notes
    return [note for note in notes if note.startswith(start)]


def part_notes(diff: RunDiff) -> list[str]:
    """Return a sentence for each side that was built with `--empty` or `--sample`."""
    sides = (("base", diff.base), ("current", diff.current))
    return [note for side, run in sides if (note := part_note(side, run)) is not None]


def moment(time: datetime | None) -> str:
    """Return `2026-11-19 08:00 UTC`."""
    return "" if time is None else f"{time:%Y-%m-%d %H:%M} {time.tzname() or ''}".rstrip()


def stored_phrase(taken_at: datetime) -> str:
    """Return the sentence about data diffs that are stored results, the oldest one of *taken_at*."""
    return f"Data diffs are stored results, the oldest of {moment(taken_at)}: --data compares again"


STALE_HOURS = 24
"""Age from which the latest run of an environment is stale."""


def age_phrase(then: datetime, now: datetime) -> str:
    """Return the time from *then* to *now* in its largest unit: `5 min`, `3 h` or `12 days`.

    >>> from datetime import timedelta
    >>> noon = datetime(2026, 11, 21, 12)
    >>> [age_phrase(noon - timedelta(hours=hours), noon) for hours in (0, 0.5, 3.9, 47, 48, 2400)]
    ['0 min', '30 min', '3 h', '47 h', '2 days', '100 days']
    """
    minutes = max(0, int((now - then).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    # `1 day` would hide whether a run is nearly two days old.
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60):,} days"


def is_stale(then: datetime, now: datetime) -> bool:
    """Return True if a latest run at *then* is at least STALE_HOURS old."""
    return (now - then).total_seconds() >= STALE_HOURS * 3600


def pull_request(run: RunMetadata) -> str:
    """Return `PR #42`; a reference that is not a number is returned unchanged."""
    number = run.pull_request or ""
    return f"PR #{number}" if number.isdigit() else number


def more_phrase(hidden: int, *, hint: bool = False, option: str = "--format json") -> str:
    """Return `… and 12 more`; with *hint*, also the *option* that lists all."""
    return f"… and {hidden:,} more" + (f" ({option} lists all)" if hint else "")


DETAILS = "--details"
"""Option of the commands whose reports leave out what is equal or long."""


def failing_first(impact: Impact) -> int:
    """Return the sort key that puts nodes first that fail, then those that may fail."""
    return 0 if impact.fails else 1 if impact.may_fail else 2


def steps_away(distance: int) -> str:
    """Return `1 step away` or `2 steps away`."""
    return f"{plural(distance, 'step')} away"


def join_words(words: Sequence[str]) -> str:
    """Return `a`, `a and b` or `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def conflict_phrases(conflicts: Sequence[str]) -> list[str]:
    """Return `conflict: note, tag pii (notes --history)` for *conflicts*; empty without any.

    >>> conflict_phrases(("note", "tag pii"))
    ['conflict: note, tag pii (notes --history has all values)']
    """
    return [f"conflict: {', '.join(conflicts)} (notes --history has all values)"] if conflicts else []
