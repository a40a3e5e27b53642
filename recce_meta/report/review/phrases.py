"""Phrases about marks of reviewers, the progress of a review, and nodes that fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from recce_meta.errors import plural
from recce_meta.models.change import Change, Impact, ReachedBy, RunDiff, Status
from recce_meta.models.marks.review import PairReviews, ReviewMark, is_approved
from recce_meta.report.diff_details import MAY_FAIL, NAME_WIDTH, ORIGINS_SHOWN, first_phrases
from recce_meta.report.labels import TESTS, node_label, node_part, short_run_id
from recce_meta.report.terminal import shorten


def mark_phrase(mark: ReviewMark) -> str:
    """Return `approved by Ann`, or `another version (run 1f0a22c4) approved by Ann`."""
    text = f"{mark.status} by {mark.reviewer}"
    return text if mark.is_valid else f"another version (run {short_run_id(mark.run_id)}) {text}"


def marks_phrase(marks: Iterable[ReviewMark]) -> str:
    """Return the phrases of *marks* in one sentence."""
    return "; ".join(map(mark_phrase, marks))


def progress_phrase(diff: RunDiff, reviews: PairReviews) -> str:
    """Return `3 of 8 changed nodes approved`, with the number of approved checks; empty without changes."""
    changed = [change.unique_id for change in diff.changed if change.resource_type not in TESTS]
    approved = sum(is_approved(reviews.nodes.get(unique_id, ())) for unique_id in changed)
    phrases = [f"{approved:,} of {plural(len(changed), 'changed node')} approved"] if changed else []
    checks = sum(map(is_approved, reviews.checks.values()))
    phrases += [f"{plural(checks, 'check')} approved"] if checks else []
    return " · ".join(phrases)


def review_sentences(diff: RunDiff, reviews: PairReviews | None) -> list[str]:
    """Return the progress of a review in one sentence; empty if no node or check has a mark."""
    phrase = progress_phrase(diff, reviews) if reviews else ""
    return [f"Review: {phrase}"] if phrase else []


def failure_sentences(diff: RunDiff) -> list[str]:
    """Return the sentences of `failures`, those of tests last."""
    return list(failures(diff).values())


def doubt_sentences(diff: RunDiff, *, changed_only: bool = False) -> list[str]:
    """Return `orders may fail: it uses …` for each node that may fail, those of tests last."""
    nodes: list[Change | Impact] = [*diff.changed, *([] if changed_only else diff.impacted)]
    nodes.sort(key=lambda node: (node.resource_type in TESTS, node_label(node)))
    return [f"{node_label(node)} {MAY_FAIL}: {node.may_fail}" for node in nodes if node.may_fail]


def failing_nodes(diff: RunDiff) -> list[Change | Impact]:
    """Return the nodes that fail, tests last."""
    nodes: list[Change | Impact] = [*diff.changed, *diff.impacted]
    failing = [node for node in nodes if node.fails]
    return sorted(failing, key=lambda node: (node.resource_type in TESTS, node_label(node)))


def failures(diff: RunDiff) -> dict[str, str]:
    """Return `service_mix fails: it references is_delivered, which fct_parcels no longer has` by unique id.

    If it names no such column: `mix fails because of the change of fct_parcels`, with the reason if known.
    Tests are last. Names are as the project has them; the caller escapes them.
    """
    lost = _lost_columns(diff)
    return {node.unique_id: f"{node_label(node)} {_failure(node, lost)}" for node in failing_nodes(diff)}


def impacts_with_failures(diff: RunDiff) -> list[Impact]:
    """Return the impacted nodes of *diff*; those that fail because of a removed column name it."""
    lost = _lost_columns(diff)
    return [
        replace(one, failure=one.failure or _lost_reference(one, lost)) if one.fails else one
        for one in diff.impacted
    ]


def _lost_columns(diff: RunDiff) -> dict[str, list[str]]:
    """Return the columns that each changed node no longer has."""
    return {
        change.unique_id: [
            one.name for one in change.columns if one.status is Status.REMOVED or one.renamed_to
        ]
        for change in diff.changed
    }


def _failure(node: Change | Impact, lost: Mapping[str, Sequence[str]]) -> str:
    """Return `fails: …` of a failing node; *lost* are the columns that each changed node no longer has."""
    reached = node.reached if isinstance(node, Change) else node
    if reached is not None and reached.fails and (reference := _lost_reference(reached, lost)):
        return f"fails: {reference}"
    if isinstance(node, Change) and node.build_failure:
        return f"fails: {node.build_failure}"
    failure = reached.failure if reached else ""
    return f"fails because of the change of {_origins(reached)[1]}{': ' * bool(failure)}{failure}"


def _lost_reference(reached: Impact | ReachedBy, lost: Mapping[str, Sequence[str]]) -> str:
    """Return `it references is_delivered, which fct_parcels no longer has`; empty if it fails otherwise."""
    origins, names = _origins(reached)
    columns = [column for origin in origins for column in lost.get(origin, ())]
    if reached.failure or not columns:
        return ""
    gone = first_phrases(columns) if len(columns) < 2 else f"one of {first_phrases(columns)}"
    return f"it references {gone}, which {names} no longer has"


def _origins(reached: Impact | ReachedBy | None) -> tuple[Sequence[str], str]:
    """Return the changed nodes that affect a node, and their names."""
    origins = (reached.origin,) if isinstance(reached, Impact) else reached.origins if reached else ()
    return origins, " or ".join(shorten(node_part(one), NAME_WIDTH) for one in origins[:ORIGINS_SHOWN])
