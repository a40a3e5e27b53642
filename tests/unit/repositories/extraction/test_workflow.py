"""Causes of failures, ids of runs, and folders of jobs."""

from __future__ import annotations

import asyncio
import errno
import shutil
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from msgspec.structs import replace

from recce_meta.errors import ArtifactError, RecceMetaError, StoreLocked, SyntaxFailed
from recce_meta.models.run import ExtractionTier, Trigger
from recce_meta.repositories.extraction import workflow
from recce_meta.repositories.extraction.commits import as_in_repository
from recce_meta.repositories.extraction.dbt.environments import EnvironmentFailed
from recce_meta.repositories.extraction.dbt.outcome import DbtFailed
from recce_meta.repositories.extraction.stages import _cause_of, run_id_of
from recce_meta.repositories.extraction.workflow import (
    Extractions,
    FailureCause,
    JobRun,
    Retries,
    StageFailed,
    failure_of,
    job_folder,
)
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.options.values import ProfileTarget
from recce_meta.repositories.processes import Completed
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.types import DbtFailure, ExtractionJob, RepositoryConnection, Stage
from tests.support.forge_names import Forge

CONNECTION = RepositoryConnection(
    id="0123456789ab",
    name="shop",
    type=Forge.GIT,
    repo_url="https://git.example.com/shop",
    branches=("main",),
    created_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
    created_by="test",
)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (
            GitFailure(GitFailureKind.RATE_LIMIT, "slow down", can_retry=True, retry_after=9),
            FailureCause(kind="rate_limit", can_retry=True, retry_after=9),
        ),
        (GitFailure(GitFailureKind.TOKEN, "refused"), FailureCause(kind="token")),
        (DbtFailed(DbtFailure.HUB, "no answer"), FailureCause(kind="hub", can_retry=True)),
        (DbtFailed(DbtFailure.COMPILATION, "invalid"), FailureCause(kind="compilation")),
        (EnvironmentFailed("no index", can_retry=True), FailureCause(kind="environment", can_retry=True)),
        (StageFailed("no project", kind="no_project"), FailureCause(kind="no_project")),
        (StageFailed("no space", kind="disk"), FailureCause(kind="disk", can_retry=True)),
        (StoreLocked("locked"), FailureCause(kind="store", can_retry=True)),
        (SyntaxFailed("near select"), FailureCause(kind="store")),
        (ArtifactError("damaged"), FailureCause(kind="extract")),
    ],
)
def test_causes(error: RecceMetaError, cause: FailureCause) -> None:
    """Only what can heal is tried again."""
    assert failure_of(error, Stage.EXTRACT) == cause


@pytest.mark.parametrize(
    ("excess", "errors", "kind"),
    [
        ("seconds", "", "time"),
        ("cpu_seconds", "", "time"),
        ("output", "", "output"),
        ("memory", "", "memory"),
        (None, "Traceback\nMemoryError", "memory"),
        (None, "OSError: [Errno 27] File too large: '/out/project.json'", "output"),
        (None, "OSError: [Errno 28] No space left on device: '/out/project.json'", "disk"),
        (None, "KeyError: 'a'", "project"),
        ("processes", "", "project"),
    ],
)
def test_limits_of_the_reader_are_named_as_those_of_dbt(excess: str | None, errors: str, kind: str) -> None:
    done = Completed(code=1, output="", errors=errors, excess=excess, seconds=1, cpu_seconds=1, peak_memory=1)
    assert _cause_of(done)[0] == kind


def test_a_run_has_the_id_of_its_content() -> None:
    """The id depends on commit, branch, tier and the settings that change the run, and on nothing else."""
    same = replace(CONNECTION, id="ffffffffffff", name="other", poll_minutes=1, last_commit_sha="a" * 40)
    others = [
        replace(CONNECTION, environment="dev"),
        replace(CONNECTION, subdirectory="dbt"),
        replace(CONNECTION, profile=ProfileTarget(schema="other")),
        replace(CONNECTION, variables={"A": "1"}),
    ]
    first = run_id_of(CONNECTION, "main", "a" * 40, ExtractionTier.GOLD)
    assert run_id_of(same, "main", "a" * 40, ExtractionTier.GOLD) == first
    found = {run_id_of(one, "main", "a" * 40, ExtractionTier.GOLD) for one in others}
    found |= {run_id_of(CONNECTION, "dev", "a" * 40, ExtractionTier.GOLD)}
    found |= {run_id_of(CONNECTION, "main", "b" * 40, ExtractionTier.GOLD)}
    found |= {run_id_of(CONNECTION, "main", "a" * 40, ExtractionTier.SILVER)}
    assert len(found | {first}) == len(others) + 4


def test_folders_of_jobs_stay_in_the_work_folder(tmp_path: Path) -> None:
    """The name of a branch cannot lead out of the work folder."""
    folder = job_folder(tmp_path, "0123456789ab:../../etc:1")
    assert folder.parent == tmp_path / "jobs"
    assert folder != job_folder(tmp_path, "0123456789ab:../../etc:2")


@pytest.mark.parametrize(
    "error",
    [
        GitFailure(GitFailureKind.NETWORK, "no answer", can_retry=True),
        OSError(errno.ENOSPC, "No space left on device"),
        shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")]),
    ],
)
def test_a_job_that_is_tried_again_leaves_its_slot_until_then(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is a fault of the worker, also if it was met outside of a program."""
    order: list[str] = []
    works: dict[str, list[bool]] = {"first": [], "second": []}
    monkeypatch.setattr(workflow, "note_work", lambda _, job_id, works_now: works[job_id].append(works_now))

    async def work(run: JobRun) -> dict[str, object]:
        order.append(run.job.branch)
        if order == ["first"]:
            raise error
        return {}

    async def log(_: str) -> None: ...

    def job(branch: str) -> JobRun:
        found = ExtractionJob(
            id=branch,
            connection_id=CONNECTION.id,
            branch=branch,
            number=1,
            trigger=Trigger.POLL,
            requested_by="poll",
            requested_at=CONNECTION.created_at,
        )
        return JobRun(job=found, connection=CONNECTION, folder=tmp_path, results={}, log=log)

    async def both() -> None:
        retries = Retries(delays=(0.2,), jitter=0)
        jobs = Extractions(
            cast(State, SimpleNamespace(id="s")),
            {Stage.PARSE: work},
            worker="w",
            work=tmp_path,
            retries=retries,
            slots=1,
        )
        await asyncio.gather(*(jobs._in_turn(Stage.PARSE, job(branch)) for branch in ("first", "second")))

    asyncio.run(both())
    assert order == ["first", "second", "first"]
    assert works == {"first": [True, False, True], "second": [True]}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("WORK/jobs/1/checkout/models/a.sql: late", "models/a.sql: late"),
        ("WORK/jobs/1: late", ": late"),
        ("No space left: 'WORK/cache/environments/duckdb-1.10/bin/dbt'", "No space left: 'dbt'"),
        ("WORK/mirrors/a is locked; WORK/cache/b", "a is locked; b"),
        ("WORKER/a", "WORKER/a"),
    ],
)
def test_texts_have_no_folder_of_the_worker(text: str, shown: str) -> None:
    work = Path("/var/lib/recce-meta/work")
    assert as_in_repository(text.replace("WORK", str(work)), work / "jobs" / "1") == shown.replace(
        "WORK", str(work)
    )
