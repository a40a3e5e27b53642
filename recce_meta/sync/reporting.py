"""Results of exchanges and of checks of a store, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import asdict

from recce_meta.errors import plural
from recce_meta.models.marks.annotation import AnnotationEvent, AnnotationField, AnnotationTarget
from recce_meta.report.labels import moment, short_run_id
from recce_meta.report.terminal import (
    BLANK,
    Line,
    Span,
    Style,
    one_line,
    plain_line,
    pretty_json,
    render,
    shorten,
)
from recce_meta.sync.exchange import PULL, PUSH
from recce_meta.sync.history import ReplacedAnnotation, status_of
from recce_meta.sync.operations import SyncResult
from recce_meta.sync.types import (
    ExchangeStatus,
    ObjectKind,
    ObjectOutcome,
    SyncConflict,
    SyncRecord,
    SyncReport,
)

SYNC_SCHEMA = "recce_meta/sync/v1"
STATUS_SCHEMA = "recce_meta/sync-status/v1"
LONGEST_VALUE = 60
"""Characters of a value of an annotation in the text."""
NOUNS = {
    ObjectKind.DELETION: "deletion",
    ObjectKind.RUN: "run",
    ObjectKind.COLUMNS: "column lineage",
    ObjectKind.STATISTICS: "set of statistics",
    ObjectKind.QUALITY: "quality measurement",
    ObjectKind.DATA_DIFF: "data diff",
    ObjectKind.CHECK_RESULT: "check result",
    ObjectKind.REVIEW: "review",
    ObjectKind.ANNOTATION: "annotation",
}
_PLURALS = {ObjectKind.COLUMNS: "column lineages", ObjectKind.STATISTICS: "sets of statistics"}


class KindCount(Struct, frozen=True, kw_only=True):
    """Number of objects of one kind that an exchange moved in one direction."""

    direction: str
    """`push` or `pull`."""
    kind: ObjectKind
    status: ExchangeStatus
    count: int


class SyncDocument(Struct, kw_only=True):
    """Output of `push`, `pull` and `sync` with `--format json`."""

    schema: str = SYNC_SCHEMA
    direction: str
    """`push`, `pull` or `sync`."""
    local: str
    peer: str
    """Name of the remote store, without credentials."""
    started_at: datetime
    finished_at: datetime
    dry_run: bool
    """True if nothing was written; the counts are what would happen."""
    status: str
    """`success`, `partial` or `failed`."""
    present: int
    """Number of objects that both sides had."""
    counts: Sequence[KindCount]
    outcomes: Sequence[ObjectOutcome]
    """Objects that one side lacked, and conflicts."""
    replaced: Sequence[ReplacedAnnotation]
    """Annotations whose value another one replaced, or that are in conflict with another value."""
    conflicts: Sequence[SyncConflict]
    """New conflicts that the local store keeps."""


class SyncStatusDocument(Struct, kw_only=True):
    """Output of `sync --status --format json`."""

    schema: str = STATUS_SCHEMA
    remote: str | None = None
    """The default remote; None if there is none."""
    syncs: Sequence[SyncRecord]
    """Last exchange of each remote and status, newest first."""
    conflicts: Sequence[SyncConflict]


def sync_json(result: SyncResult) -> str:
    """Return *result* as a JSON document."""
    report = result.report
    counted = Counter((one.direction, one.kind, one.status) for one in report.outcomes)
    counts = [
        KindCount(direction=direction, kind=kind, status=status, count=count)
        for (direction, kind, status), count in counted.items()
    ]
    return pretty_json(
        SyncDocument(
            **asdict(report),
            status=status_of(report),
            counts=counts,
            replaced=result.replaced,
            conflicts=result.conflicts,
        )
    )


def status_json(syncs: Sequence[SyncRecord], conflicts: Sequence[SyncConflict], remote: str | None) -> str:
    """Return the last exchanges and the conflicts as a JSON document."""
    return pretty_json(SyncStatusDocument(remote=remote, syncs=syncs, conflicts=conflicts))


def sync_text(result: SyncResult, *, width: int, color: bool) -> str:
    """Return a summary of *result*, then deletions, replaced annotations, conflicts and failures."""
    report = result.report
    lines = [*_summary(report), *_deletions(report), *_replaced(result.replaced)]
    lines += [*_conflicts(result), *_skipped(report), *_failures(report)]
    return render(lines, width=0, color=color)


def _summary(report: SyncReport) -> Iterator[Line]:
    if not any(one.status is not ExchangeStatus.PRESENT for one in report.outcomes):
        verb = "exchange" if report.direction == "sync" else report.direction
        word = "from" if report.direction == PULL else "to" if report.direction == PUSH else "with"
        there = f"; both have the same {plural(report.present, 'object')}" if report.present else ""
        yield plain_line(f"Nothing to {verb} {word} {report.peer}{there}")
        return
    for direction, verb, future in (
        (PULL, "Received from", "Would receive from"),
        (PUSH, "Sent to", "Would send to"),
    ):
        if report.direction not in ("sync", direction):
            continue
        moved = [
            one for one in report.outcomes if one.direction == direction and one.status is ExchangeStatus.SENT
        ]
        lead = f"{future if report.dry_run else verb} {report.peer}: "
        yield Span(lead, Style.BOLD), Span(_kinds(moved) or "nothing")


def _kinds(outcomes: Iterable[ObjectOutcome]) -> str:
    counted = Counter(one.kind for one in outcomes)
    return ", ".join(_count(counted[kind], kind) for kind in ObjectKind if counted[kind])


def _count(count: int, kind: ObjectKind) -> str:
    return f"{count:,} {_PLURALS[kind]}" if count != 1 and kind in _PLURALS else plural(count, NOUNS[kind])


def _deletions(report: SyncReport) -> Iterator[Line]:
    for one in report.outcomes:
        if one.kind is ObjectKind.DELETION and one.status is ExchangeStatus.SENT:
            where = "in the local store" if one.direction == PULL else f"in {report.peer}"
            verb = "would be deleted" if report.dry_run else "deleted"
            yield plain_line(f"  run {one.object_id}{_of_project(one.project)} {verb} {where}")


def _replaced(replaced: Iterable[ReplacedAnnotation]) -> Iterator[Line]:
    for one in replaced:
        name = f"{one.field} {one.item}" if one.item else one.field
        what = f"{name} of {_target(one.target)}: "
        if one.is_conflict:
            text = f"{what}{_value(one.winner)} is shown, {_value(one.loser)} is in the history"
            yield Span("conflict: ", Style.YELLOW), Span(f"{text}; the next edit ends the conflict")
        else:
            yield plain_line(f"  {what}{_value(one.winner)} replaced {_value(one.loser)}")


def _target(target: AnnotationTarget) -> str:
    own = ".".join(filter(None, (target.unique_id, target.column_name)))
    parent = ".".join(filter(None, (target.parent_id, target.parent_column)))
    return f"{parent} → {own}" if parent else own


def _value(event: AnnotationEvent) -> str:
    if event.field != AnnotationField.NOTE.value:
        text = "removed" if event.value is None else "added"
    else:
        text = "the deletion" if event.value is None else f"'{shorten(one_line(event.value), LONGEST_VALUE)}'"
    return f"{text} by {event.author} ({moment(event.edited_at)})"


def _conflicts(result: SyncResult) -> Iterator[Line]:
    kept = {(one.kind, one.object_id): one.conflict_id for one in result.conflicts}
    for one in result.report.outcomes:
        if one.status is not ExchangeStatus.CONFLICT:
            continue
        # An object that was sent is kept in the other store, under another id.
        conflict_id = kept.get((one.kind.value, one.object_id)) if one.direction == PULL else None
        known = "" if one.is_new else ", known from an earlier exchange"
        place = "; kept there" if one.direction == PUSH else ""
        place = place if conflict_id is None else f"; kept as conflict {conflict_id[:12]}"
        yield Span("conflict: ", Style.YELLOW), Span(f"{_named(one)}{known}{place}")
    if kept:
        yield plain_line("The stored objects are unchanged; see recce-meta sync --status")


def _skipped(report: SyncReport) -> Iterator[Line]:
    # The deletion itself is listed.
    deletions = (one for one in report.outcomes if one.kind is ObjectKind.DELETION)
    deleted = {one.object_id for one in deletions if one.status is ExchangeStatus.SENT}
    skipped = (
        one for one in report.outcomes if one.status is ExchangeStatus.SKIPPED and one.run_id not in deleted
    )
    counted = Counter((one.kind, one.reason or "") for one in skipped)
    for (kind, reason), count in counted.items():
        yield plain_line(f"skipped {_count(count, kind)}: {reason}")


def _failures(report: SyncReport) -> Iterator[Line]:
    for one in report.outcomes:
        if one.status is ExchangeStatus.FAILED:
            yield Span("failed: ", Style.RED), Span(_named(one))


def _named(one: ObjectOutcome) -> str:
    verb = "sending" if one.direction == PUSH else "receiving"
    run = f" of run {short_run_id(one.run_id)}" if one.run_id and one.run_id != one.object_id else ""
    name = short_run_id(one.object_id)
    reason = f": {one_line(one.reason)}" if one.reason else ""
    return f"{verb} {NOUNS[one.kind]} {name}{run}{_of_project(one.project)}{reason}"


def _of_project(project: str | None) -> str:
    return f" of {project}" if project else ""


def status_text(
    syncs: Sequence[SyncRecord],
    conflicts: Sequence[SyncConflict],
    remote: str | None,
    *,
    width: int,
    color: bool,
) -> str:
    """Return the last exchange of each remote, and the conflicts with what to do about them."""
    lines: list[Line] = [plain_line(f"Default remote: {remote}")] if remote else []
    lines += _exchanges(syncs)
    if conflicts:
        lines += [BLANK, (Span(plural(len(conflicts), "conflict"), Style.YELLOW),)]
    for one in conflicts:
        run = f" of run {short_run_id(one.run_id)}" if one.run_id and one.run_id != one.object_id else ""
        text = f"  {one.conflict_id[:12]}  {one.kind} {short_run_id(one.object_id)}{run} from {one.peer}"
        lines.append(plain_line(f"{text}, {moment(one.detected_at)}"))
    if conflicts:
        lines += map(plain_line, REMEDIES)
    return render(lines, width=0, color=color)


REMEDIES = (
    "The stored objects are unchanged. To see the other run, pull it into a file:",
    "  recce-meta pull REMOTE --select RUN --url duckdb:///other.duckdb",
    "To write only the object that arrived to a file:",
    "  recce-meta sync --conflict ID -o FILE.zip",
)


def _exchanges(syncs: Sequence[SyncRecord]) -> Iterator[Line]:
    if not syncs:
        yield plain_line("No exchange with another store yet: run recce-meta sync REMOTE")
    shown: set[str] = set()
    for one in syncs:
        if one.peer in shown:
            continue
        shown.add(one.peer)
        counts = f"{one.sent:,} sent, {one.received:,} received"
        extra = [(one.conflicts, "conflict"), (one.failed, "failure"), (one.skipped, "skipped object")]
        counts += "".join(f", {plural(count, noun)}" for count, noun in extra if count)
        yield plain_line(f"{one.peer}: {one.direction} {moment(one.finished_at)}, {one.status}, {counts}")
        if one.error:
            yield plain_line(f"  {one_line(one.error)}")
        last = next((each for each in syncs if each.peer == one.peer and each.status == "success"), None)
        if last is not None and last is not one:
            yield plain_line(f"  last success: {moment(last.finished_at)}")
