"""Freshness of a connection in words: "updated 2 minutes ago, next check in 13 minutes".

The script of the pages renews the ages in `time` elements with `data-age`: `ago`, `in` and `for`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from markupsafe import Markup, escape

from recce_meta.errors import plural
from recce_meta.redaction import neutralise
from recce_meta.repositories.service.answers import ActiveJob, ConnectionAnswer
from recce_meta.repositories.state.types import SCAN, JobStatus

AgeKind = Literal["ago", "in", "for"]
"""Age of what happened, time until something happens, or time since something began."""


class Age(NamedTuple):
    """A time that is shown relative to now."""

    at: datetime
    kind: AgeKind


Sentence: TypeAlias = Sequence[str | Age]
"""Words and times of a sentence, in order."""


def age_words(age: Age, now: datetime) -> str:
    """Return *age* in words.

    >>> from datetime import timedelta
    >>> noon = datetime(2026, 11, 22, 12)
    >>> age_words(Age(noon - timedelta(minutes=2), "ago"), noon)
    '2 minutes ago'
    >>> age_words(Age(noon + timedelta(minutes=13, seconds=30), "in"), noon)
    'in 13 minutes'
    >>> age_words(Age(noon - timedelta(seconds=40), "for"), noon)
    '40 s'
    """
    seconds = max(0, int((age.at - now if age.kind == "in" else now - age.at).total_seconds()))
    if age.kind == "for":
        minutes, rest = divmod(seconds, 60)
        return f"{minutes:,} min {rest} s" if minutes else f"{rest} s"
    words = _span(seconds)
    return f"in {words}" if age.kind == "in" else f"{words} ago"


def _span(seconds: int) -> str:
    """Return a time span in its largest unit."""
    if seconds < 60:
        return "less than a minute"
    if seconds < 3600:
        return plural(seconds // 60, "minute")
    if seconds < 48 * 3600:
        return plural(seconds // 3600, "hour")
    return plural(seconds // 86400, "day")


def age_html(age: Age, now: datetime) -> Markup:
    """Return *age* as an element whose words a script renews."""
    return Markup('<time datetime="{}" data-age="{}" title="{:%Y-%m-%d %H:%M:%S} UTC">{}</time>').format(
        age.at.isoformat(), age.kind, age.at, age_words(age, now)
    )


def sentence_html(sentence: Sentence, now: datetime) -> Markup:
    """Return *sentence* with its ages as elements."""
    parts = [age_html(one, now) if isinstance(one, Age) else escape(neutralise(one)) for one in sentence]
    return Markup("").join(parts)


def sentence_text(sentence: Sentence, now: datetime) -> str:
    """Return *sentence* as text, for CSV and JSON."""
    return "".join(age_words(one, now) if isinstance(one, Age) else one for one in sentence)


def freshness(found: ConnectionAnswer, job: ActiveJob | None, now: datetime) -> Sentence:
    """Return how current the runs of a connection are; *job* is the one that waits or runs."""
    if job is not None:
        return _activity(found, job)
    words: list[str | Age] = ["uploads only, "] if found.is_upload_only else []
    if found.last_extraction_at is None:
        never = "never extracted" if found.database is None else "never scanned"
        words.append("nothing uploaded yet" if found.is_upload_only else never)
    else:
        is_upload = found.manifest_uploaded and not found.is_upload_only
        words += ["updated ", Age(found.last_extraction_at, "ago"), " by an upload" if is_upload else ""]
    return [*words, *_next_check(found, now)]


def _activity(found: ConnectionAnswer, job: ActiveJob) -> Sentence:
    # The main branch is the usual one; every other name has to be shown.
    label = "" if job.branch == found.branch else f" {job.branch}"
    to_do, doing = f"extract{label}", f"extracting{label}"
    if found.database is not None:
        to_do, doing = ("scan", "scanning") if job.branch == SCAN else ("measure", "measuring")
    if job.status is JobStatus.PENDING:
        return [f"waiting to {to_do}, ", Age(job.requested_at, "for")]
    stage = "begins" if job.stage is None else job.stage.value.replace("_", " ")
    return [f"{doing}: {stage}, ", Age(job.started_at or job.requested_at, "for")]


def _next_check(found: ConnectionAnswer, now: datetime) -> Sentence:
    if found.is_upload_only:
        return []
    if found.is_paused:
        return [", paused"]
    if found.poll_minutes is None:
        return [", automatic refresh off" if found.database is None else ", automatic scans off"]
    if found.next_check_at is None or found.next_check_at <= now:
        return [", next check due"]
    return [", next check ", Age(found.next_check_at, "in")]


def current_jobs(active: Sequence[ActiveJob]) -> dict[str, ActiveJob]:
    """Return the job of each connection that says most: a running one, else the first that waits."""
    found: dict[str, ActiveJob] = {}
    for job in active:
        known = found.get(job.connection_id)
        if known is None or (known.status is JobStatus.PENDING and job.status is JobStatus.RUNNING):
            found[job.connection_id] = job
    return found
