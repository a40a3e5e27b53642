"""Steps and progress of a job, as its log describes them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from recce_meta.models.run import Trigger
from recce_meta.repositories.service.answers import progress_answer, stage_answers
from recce_meta.repositories.state.types import ExtractionJob, JobEvent, JobStatus, Stage

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def job(status: JobStatus) -> ExtractionJob:
    return ExtractionJob(
        id="c:main:1",
        connection_id="c",
        branch="main",
        number=1,
        trigger=Trigger.MANUAL,
        requested_by="ann",
        requested_at=NOW,
        status=status,
    )


def log(*lines: tuple[int, Stage, str]) -> list[JobEvent]:
    return [
        JobEvent(job_id="c:main:1", seq=seq, at=NOW + timedelta(seconds=seconds), stage=stage, status=status)
        for seq, (seconds, stage, status) in enumerate(lines, start=1)
    ]


def test_a_resumed_step_counts_from_its_last_start() -> None:
    events = log(
        (0, Stage.RESOLVE, "started"),
        (1, Stage.RESOLVE, "done"),
        (1, Stage.CLONE, "started"),
        (50, Stage.CLONE, "started"),
        (52, Stage.CLONE, "done"),
        (52, Stage.PARSE, "started"),
    )

    steps = {one.name: (one.status, one.seconds) for one in stage_answers(job(JobStatus.RUNNING), events)}

    assert steps[Stage.RESOLVE] == ("success", 1.0)
    assert steps[Stage.CLONE] == ("success", 2.0)
    assert steps[Stage.PARSE] == ("running", None)
    assert steps[Stage.STORE] == ("pending", None)


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_job_that_ended_early_has_skipped_the_rest_and_cleaned_up(status: JobStatus) -> None:
    events = log((0, Stage.RESOLVE, "started"), (1, Stage.RESOLVE, "failed"))

    found = progress_answer(job(status), events)

    assert [one.status for one in found.stages] == ["failed", *["skipped"] * 5, "success"]
    assert found.percent < 100


def test_percent_grows_and_is_100_only_at_the_end() -> None:
    events = log(*((0, stage, status) for stage in Stage for status in ("started", "done")))
    percents = [
        progress_answer(job(JobStatus.RUNNING), events[:count]).percent for count in range(len(events) + 1)
    ]

    assert percents == sorted(percents)
    assert percents[0] == 0
    assert percents[-1] == 99
    assert progress_answer(job(JobStatus.SUCCESS), events).percent == 100
