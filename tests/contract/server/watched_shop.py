"""A state with everything that pages of connections show: pull requests, deliveries, tasks, workers, jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from msgspec.structs import replace
from sqlalchemy import update

from recce_meta.models.run import ExtractionTier, IsolationKind, Trigger
from recce_meta.repositories.state import tables
from recce_meta.repositories.state.connections import add_connection, note_outcome
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import (
    add_event,
    finish_job,
    list_jobs,
    request_job,
    set_stage,
    start_job,
)
from recce_meta.repositories.state.pull_requests import change_report, note_pull_request
from recce_meta.repositories.state.tasks import add_task, claim_task, end_task
from recce_meta.repositories.state.types import (
    ExtractionJob,
    JobFigures,
    JobOutcome,
    JobRequest,
    JobStatus,
    PullRequestEvent,
    PullRequestState,
    RepositoryConnection,
    Stage,
    TaskKind,
    Webhook,
    WebhookDelivery,
)
from recce_meta.repositories.state.webhooks import mark_stale, note_delivery, put_webhook
from recce_meta.repositories.state.workers import beat
from tests.support import states

HOSTILE = "<script>alert(1)</script>\u202e"
"""Text that a page must show as it is, and must not obey."""
STALE_BRANCH = "feature/<b>x</b>"
OPEN, FORK, MERGED, HOSTILE_ADDRESS = 40, 41, 42, 43
"""Pull requests: reported, of a fork with a failed report, pruned, and with a script as address."""


@dataclass(frozen=True)
class Watched:
    """Connections of the state."""

    shop: RepositoryConnection
    """With a webhook, pull requests, and a failure of the forge."""
    uploads: RepositoryConnection
    """With uploads only."""
    paused: RepositoryConnection
    """Without automatic refresh."""
    new: RepositoryConnection
    """Never extracted."""
    running: ExtractionJob
    """Running job of the main branch of the shop."""


def fill(state: State, run_id: str) -> Watched:
    """Fill *state*; successful jobs have recorded the run *run_id*."""
    shop = add_connection(
        state,
        states.shop(
            name="watched",
            branches=("main", STALE_BRANCH),
            notify=("slack hooks.slack.com",),
            fail_on=("breaking",),
            forge_error=f"GitHub refuses the comment: {HOSTILE}",
        ),
    )
    uploads = states.shop(name="uploads", repo_url="", is_upload_only=True, poll_minutes=None)
    paused, new = states.shop(name="paused", poll_minutes=None), states.shop(name="new")
    for one in (uploads, paused, new):
        add_connection(state, one)
    for connection, branch in ((shop, "main"), (shop, STALE_BRANCH), (paused, "main"), (uploads, "main")):
        finished(state, connection, run_id, branch)
    mark_stale(state, shop.id, STALE_BRANCH)
    failed = begun(state, shop, STALE_BRANCH, Stage.PARSE)
    finish_job(
        state,
        failed.id,
        JobStatus.FAILED,
        JobOutcome(error=f"parse: {HOSTILE}", hint="repair it", failure="parse"),
    )
    _add_pull_requests(state, shop, run_id)
    _add_webhook(state, shop)
    _add_work(state, shop)
    return Watched(shop, uploads, paused, new, begun(state, shop, "main", Stage.CLONE))


def begun(state: State, connection: RepositoryConnection, branch: str, stage: Stage) -> ExtractionJob:
    """Return a running job that is in *stage*."""
    requested = request_job(
        state, connection.id, JobRequest(branch=branch, trigger=Trigger.MANUAL, requested_by="ann")
    ).job
    start_job(state, requested.id, "host-1")
    for one in Stage:
        add_event(state, requested.id, one, "started", f"{one.value} begins")
        if one is stage:
            return set_stage(state, requested.id, stage)
        add_event(state, requested.id, one, "done")
    raise AssertionError(stage)


def finished(state: State, connection: RepositoryConnection, run_id: str, branch: str) -> ExtractionJob:
    """Return a job that has recorded the run *run_id*."""
    job = finish_job(
        state,
        begun(state, connection, branch, Stage.STORE).id,
        JobStatus.SUCCESS,
        JobOutcome(**_outcome(run_id)),
    )
    note_outcome(state, job)
    return job


def _outcome(run_id: str) -> dict[str, object]:
    figures = JobFigures(
        seconds=12.5, cpu_seconds=8, objects=5, columns=20, peak_memory=2 * 10**8, fetched=10**6
    )
    return {
        "run_id": run_id,
        "is_new": True,
        "tier": ExtractionTier.GOLD,
        "isolation": IsolationKind.BUBBLEWRAP,
        "figures": figures,
    }


def _add_pull_requests(state: State, shop: RepositoryConnection, run_id: str) -> None:
    now = datetime.now(timezone.utc)
    for number in (OPEN, FORK, MERGED, HOSTILE_ADDRESS):
        event = PullRequestEvent(
            number=number,
            title=f"Change {number} {HOSTILE}",
            url=f"javascript:alert({number})"
            if number == HOSTILE_ADDRESS
            else f"https://github.com/acme/shop/pull/{number}",
            base_branch="main",
            head_branch="feature/<i>",
            head_sha=f"{number:040x}",
            is_fork=number == FORK,
            updated_at=now,
        )
        note_pull_request(state, shop, event, trigger=Trigger.WEBHOOK, requested_by="webhook")
        for job in list_jobs(state, shop.id, limit=100):
            if job.pull_request == number and not job.status.is_over:
                start_job(state, job.id, "host-1")
                finish_job(state, job.id, JobStatus.SUCCESS, JobOutcome(**_outcome(run_id)))
        if number == MERGED:
            closed = {"state": PullRequestState.MERGED, "updated_at": now + timedelta(seconds=1)}
            note_pull_request(
                state, shop, replace(event, **closed), trigger=Trigger.WEBHOOK, requested_by="webhook"
            )
    reported = {"reported": f"{run_id} {run_id}", "comment_id": "9", "reported_at": now}
    change_report(state, shop.id, OPEN, **reported, status_state="failure", status_sha=f"{OPEN:040x}")
    change_report(state, shop.id, FORK, error=f"GitHub is not reachable {HOSTILE}")
    change_report(state, shop.id, MERGED, pruned_at=now)


def _add_webhook(state: State, shop: RepositoryConnection) -> None:
    now = datetime.now(timezone.utc)
    url = f"https://recce.example.com/api/webhooks/github?connection={shop.id}"
    put_webhook(state, Webhook(connection_id=shop.id, hook_id="7", url=url, events=("push",), created_at=now))
    for number, outcome in enumerate(("queued", "ignored")):
        delivery = WebhookDelivery(
            connection_id=shop.id,
            delivery_id=f"d{number}",
            event="push",
            received_at=now,
            outcome=outcome,
            reason=f"branch {HOSTILE} is not followed" if outcome == "ignored" else None,
        )
        note_delivery(state, delivery, repository_id=None, is_current=True)


def _add_work(state: State, shop: RepositoryConnection) -> None:
    """Add a task that failed and one that waits, a worker that runs and one that has died."""
    with state.write() as session:
        add_task(state, session, TaskKind.NOTIFY, "first", shop.id)
    while (task := claim_task(state, "host-1", lease=timedelta(minutes=1))) is not None:
        end_task(state, task, error=f"The address does not answer {HOSTILE}")
    with state.write() as session:
        add_task(state, session, TaskKind.REPORT, f"{shop.id}:{OPEN}", shop.id, {"number": OPEN})
    for name in ("host-1", "dead-1"):
        beat(state, name, host=name, pid=17)
    with state.write() as session:
        past = datetime.now(timezone.utc) - timedelta(hours=3)
        session.execute(update(tables.workers).where(tables.workers.c.name == "dead-1").values(seen_at=past))
