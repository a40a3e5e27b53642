"""The words that every report shares: names of nodes, kinds, runs and counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from recce_meta.models.category import Category
from recce_meta.models.change import COSMETIC, Change, Reason, RunDiff, Status
from recce_meta.models.run import FAILED, RunMetadata
from recce_meta.report.characters import shorten

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
"""Resource types in the order in which reports list them, with their plural."""

TESTS = frozenset({"test", "unit_test"})
"""Counted rather than listed: a model has many, and they follow it."""

UNMARKED = frozenset({"model", "view"})
"""Where most nodes downstream are of one kind, those are named without it."""

_RELATION = "relation."
"""How the unique id of a scanned relation begins."""

_HASH = re.compile(r"[0-9a-fA-F]{8}[0-9a-fA-F-]{8,}")
_KIND_RANK = {kind: rank for rank, kind in enumerate(KINDS)}
_EFFECT_RANK = {
    Category.BREAKING: 0,
    Category.UNKNOWN: 1,
    Category.PARTIAL_BREAKING: 2,
    None: 3,
    Category.NON_BREAKING: 3,
    Category.NONE: 4,
}
_STATUS_RANK = {Status.REMOVED: 0, Status.MODIFIED: 1, Status.ADDED: 2, Status.UNCHANGED: 3}


class Named(Protocol):
    """Anything that says which node it is about."""

    @property
    def unique_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def resource_type(self) -> str: ...


class DiffSummary(Struct, frozen=True, kw_only=True):
    """How many nodes each statement of a diff is about."""

    added: int
    removed: int
    modified: int
    impacted: int
    """Unchanged themselves, but reached by a change."""
    downstream: int
    """Unchanged themselves, and downstream of a change, reached or not."""
    fails: int
    """Name a column that was removed or renamed, whether changed themselves or not."""
    formatting: int
    """Differ in formatting only (and perhaps in environment)."""
    environment: int
    """Differ in environment only."""
    categories: dict[str, int]
    """How many changes can break what: nodes by category."""


def summarise(diff: RunDiff) -> DiffSummary:
    """The counts of *diff*."""
    statuses = Counter(change.status for change in diff.changes)
    formatting = sum(Reason.FORMATTING in c.reasons for c in diff.changes if c.status is Status.UNCHANGED)
    return DiffSummary(
        added=statuses[Status.ADDED],
        removed=statuses[Status.REMOVED],
        modified=statuses[Status.MODIFIED],
        impacted=len(diff.impacted),
        downstream=len(diff.impacted) + diff.unreached,
        fails=sum(impact.fails for impact in diff.impacted)
        + sum(change.reached is not None and change.reached.fails for change in diff.changed),
        formatting=formatting,
        environment=statuses[Status.UNCHANGED] - formatting,
        categories={
            category.value: sum(change.category is category for change in diff.changed)
            for category in Category
        },
    )


def summary_phrases(summary: DiffSummary, *, severe: bool = True) -> list[str]:
    """`3 modified`, `1 added` …: what is not zero, the weightiest first; *severe*: what can hurt, too."""
    counted = {
        "modified": summary.modified,
        "added": summary.added,
        "removed": summary.removed,
    }
    phrases = [f"{count:,} {word}" for word, count in counted.items() if count]
    phrases += severe_phrases(summary) if severe else []
    phrases += fail_phrases(summary)
    phrases += [downstream_phrase(summary)] if summary.downstream else []
    if not (summary.modified or summary.added or summary.removed):
        phrases.insert(0, "No changes")
    for word, count in (("formatting", summary.formatting), ("environment", summary.environment)):
        if count:
            phrases.append(f"{count:,} {'differs' if count == 1 else 'differ'} in {word} only")
    return phrases


SEVERE = {
    Category.BREAKING: "breaking",
    Category.PARTIAL_BREAKING: "partial breaking",
    Category.UNKNOWN: "unknown",
}
"""Categories that somebody downstream has to look at."""


def severe_phrases(summary: DiffSummary) -> list[str]:
    """`2 breaking`, `1 partial breaking`, `1 unknown`: what can hurt anyone."""
    counts = summary.categories
    return [f"{counts[key.value]:,} {word}" for key, word in SEVERE.items() if counts.get(key.value)]


def fail_phrases(summary: DiffSummary) -> list[str]:
    """Return `3 nodes fail`, of those that name a column which is gone; nothing if none does."""
    if not summary.fails:
        return []
    return ["1 node fails" if summary.fails == 1 else f"{summary.fails:,} nodes fail"]


def downstream_phrase(summary: DiffSummary) -> str:
    """`16 downstream`, or `3 of 16 downstream impacted` where not all of them are reached."""
    if summary.impacted == summary.downstream:
        return f"{summary.impacted:,} downstream"
    reached = f"{summary.impacted:,}" if summary.impacted else "none"
    return f"{reached} of {summary.downstream:,} downstream impacted"


def count_of(count: int, resource_type: str) -> str:
    """`1 model`, `2 saved queries`."""
    if count == 1:
        return f"1 {resource_type.replace('_', ' ')}"
    return f"{count:,} {kind_plural(resource_type)}"


def kind_plural(resource_type: str) -> str:
    """`models`, `saved queries`; an unknown type gets an s."""
    return KINDS.get(resource_type) or resource_type.replace("_", " ") + "s"


def counts_by_kind(counts: Mapping[str, int]) -> str:
    """`5 models, 1 exposure, 14 tests`, in the usual order."""
    return ", ".join(count_of(counts[kind], kind) for kind in sorted(counts, key=kind_order) if counts[kind])


def kind_order(resource_type: str) -> tuple[int, str]:
    """Sorts resource types as reports list them; unknown ones come last."""
    return _KIND_RANK.get(resource_type, len(_KIND_RANK)), resource_type


def node_label(node: Named) -> str:
    """The name that tells a node from others: `raw.orders` for a source, `orders.v2` for a version."""
    own_part = node_part(node.unique_id)
    is_version = node.resource_type == "model" and own_part.startswith(f"{node.name}.v")
    if own_part.strip() and (node.resource_type == "source" or is_version):
        return own_part
    return node.name or node.unique_id


def short_id(unique_id: str) -> str:
    """A unique id without its package: `model.shop.orders` gives `model.orders`; a relation's own name."""
    if unique_id.startswith(_RELATION):
        return unique_id.removeprefix(_RELATION)
    parts = unique_id.split(".", 2)
    return f"{parts[0]}.{parts[2]}" if len(parts) == 3 else unique_id


def node_part(unique_id: str) -> str:
    """A unique id without resource type and package, and without the hash of a generic test."""
    if unique_id.startswith(_RELATION):
        return unique_id.removeprefix(_RELATION)
    parts = unique_id.split(".", 2)
    if len(parts) < 3:
        return unique_id
    return parts[2].rsplit(".", 1)[0] if parts[0] == "test" else parts[2]


def by_kind(changes: Iterable[Change]) -> dict[str, list[Change]]:
    """*changes* per resource type in the usual order; what breaks most comes first.

    Of those that break as much, removed ones come first, then modified, then added.
    """
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.resource_type, []).append(change)
    for group in groups.values():
        group.sort(key=_weight)
    return {kind: groups[kind] for kind in sorted(groups, key=kind_order)}


def _weight(change: Change) -> tuple[int, int, str, str]:
    rank = _EFFECT_RANK[change.category]
    return rank, _STATUS_RANK[change.status], change.name, change.unique_id


def weighty_reasons(change: Change) -> list[str]:
    """The names of the reasons that make *change* a change."""
    return [reason.value for reason in change.reasons if reason not in COSMETIC]


def short_run_id(run_id: str) -> str:
    """The first eight characters of a UUID or hash, which select a run; any other id as it was given."""
    return run_id[:8] if _HASH.fullmatch(run_id) else shorten(run_id, 24)


def short_sha(sha: str | None) -> str:
    """The first seven characters, as git shows them."""
    return (sha or "")[:7]


def revision(run: RunMetadata) -> str:
    """`main@a1b2c3d`, with a `*` where the work tree held changes; empty where git is unknown."""
    sha = short_sha(run.git_sha) + ("*" if run.git_dirty else "")
    return f"{run.branch}@{sha}" if run.branch and sha else run.branch or sha


def dirty_legend(*runs: RunMetadata) -> str:
    """Return what the `*` after a commit means; an empty string if no commit of *runs* has one."""
    is_starred = any(run.git_dirty and run.git_sha for run in runs)
    return "* the checkout had uncommitted changes" if is_starred else ""


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
    """Return why *run* does not hold all of its project as built: it failed itself, or its build did."""
    if run.status != FAILED:
        return build_problem(run)
    return "scan failed" if run.extractor == "database" else "run failed"


def build_problems(diff: RunDiff) -> list[str]:
    """Return `base: build failed, 1 error, 4 skipped` for each side whose build failed or skipped a node."""
    sides = (("base", diff.base), ("current", diff.current))
    return [f"{side}: {problem}" for side, run in sides if (problem := build_problem(run))]


def moment(time: datetime | None) -> str:
    """`2026-11-19 08:00 UTC`."""
    return "" if time is None else f"{time:%Y-%m-%d %H:%M} {time.tzname() or ''}".rstrip()


def pull_request(run: RunMetadata) -> str:
    """`PR #42`, or the reference as it was given where it is not a number."""
    number = run.pull_request or ""
    return f"PR #{number}" if number.isdigit() else number


def more(hidden: int, *, hint: bool = False) -> str:
    """`… and 12 more`, with where to find them where *hint* is set."""
    return f"… and {hidden:,} more" + (" (--format json lists all)" if hint else "")


def join_words(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
