"""Our table of jobs and DBOS's queue kept in step: jobs are enqueued, taken over, stopped and given up here.

Commands and routes only write rows of jobs, so that they need no DBOS and no request is lost. Every worker
enqueues the rows that are due; a job's id is the id of its workflow, so it is enqueued once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone

from dbos import DBOS, PortableWorkflowError

from recce_meta.errors import UnknownNameError, first_line
from recce_meta.models.run import Trigger
from recce_meta.redaction import presentable
from recce_meta.repositories.extraction.workflow import QUEUE, VERSION, WORKFLOW, Extractions
from recce_meta.repositories.state.connections import note_outcome
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import active_jobs, finish_job, get_job
from recce_meta.repositories.state.tasks import add_follow_up
from recce_meta.repositories.state.turns import Holder, Rank, Turn, Turns, finds_place, next_turn, read_turns
from recce_meta.repositories.state.types import ExtractionJob, JobStatus

_ENDED = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "SUCCESS")
"""Statuses of workflows that never run again."""


class Dispatcher:
    """Steps that a worker repeats to move jobs into the queue, and to stop those that it must not run."""

    def __init__(
        self,
        state: State,
        extractions: Extractions,
        *,
        worker: str,
        spacing: float,
        count_slots: Callable[[], int],
    ) -> None:
        """*count_slots* returns how many jobs all workers have begun at most."""
        self._state = state
        self._count_slots = count_slots
        self._extractions = extractions
        self._worker = worker
        self._spacing = timedelta(seconds=spacing)
        self._enqueued: set[str] = set()

    def dispatch(self) -> None:
        """Enqueue the pending jobs that are due, and stop running ones that were cancelled or taken over."""
        running = self._extractions.running()  # before the jobs are read: each of these has its worker then
        jobs = {job.id: job for job in active_jobs(self._state)}
        self._enqueue_next(list(jobs.values()))
        # Without this the set would grow for as long as the worker runs.
        self._enqueued &= jobs.keys()
        for job_id in running:
            # `jobs` has only active ones: a removed job and one that is over end in different ways.
            found = jobs.get(job_id) or self._find(job_id)
            if found is None or found.status is JobStatus.CANCELLED:
                self._extractions.cancel(job_id)
            # Another worker runs the job now, or has ended it: this one must not store an outcome.
            elif found.status.is_over or found.worker != self._worker:
                self._extractions.abandon([job_id])

    def _enqueue_next(self, active: Sequence[ExtractionJob]) -> None:
        """Enqueue the pending jobs whose turn it is, as long as slots are free."""
        pending = [job for job in active if job.status is JobStatus.PENDING]
        fresh = [job for job in pending if job.id not in self._enqueued]
        if not fresh:
            return
        slots = self._count_slots()
        turns = read_turns(self._state)
        held = Counter(turns.running)
        # A job that is enqueued takes a place in a moment.
        held.update(turn.holder for turn in turns.waiting.values() if turn.job_id in self._enqueued)
        now = datetime.now(timezone.utc)
        # A job that has begun since `active` was read is no longer in `turns`.
        known = [job for job in fresh if job.id in turns.waiting]
        waiting = [turns.waiting[job.id] for job in known if self._is_due(job, turns, now)]
        recent, by_id = list(turns.recent), {job.id: job for job in fresh}
        while turn := _next(waiting, recent, held, slots):
            # Every worker does this; DBOS ignores a second workflow of the same id.
            enqueue(by_id[turn.job_id])
            self._enqueued.add(turn.job_id)
            waiting.remove(turn)
            recent.insert(0, turn._replace(at=now.timestamp()))
            held[turn.holder] += 1

    def _is_due(self, job: ExtractionJob, turns: Turns, now: datetime) -> bool:
        """Return True unless the branch's last job began a moment ago: many pushes give few jobs.

        A repository whose jobs exceed their limits waits longer each time, unless a person asks for the job.
        """
        until = turns.paused_until.get((job.connection_id, turns.waiting[job.id].rank is Rank.FORK))
        if until is not None and now < until and job.trigger is not Trigger.MANUAL:
            return False
        before = self._find(f"{job.connection_id}:{job.branch}:{job.number - 1}")
        if before is None or before.started_at is None:
            return True
        return now >= before.started_at + self._spacing

    def _find(self, job_id: str) -> ExtractionJob | None:
        with suppress(UnknownNameError):
            return get_job(self._state, job_id)
        return None


def _next(waiting: Sequence[Turn], recent: Sequence[Turn], held: Counter[Holder], slots: int) -> Turn | None:
    """Return the job that begins next if holders have *held* of the places in *slots*."""
    free = slots - held.total()
    forks = sum(count for (_, is_fork), count in held.items() if is_fork)
    may_begin = [
        turn
        for turn in waiting
        # Forks of many repositories leave half of all places, so that pushes do not wait for each other.
        if finds_place(held[turn.holder], free) and (turn.rank is not Rank.FORK or forks < slots // 2)
    ]
    return next_turn(may_begin, recent, free=free, slots=slots)


def enqueue(job: ExtractionJob) -> None:
    """Put the workflow of *job* into the queue, unless it was put there before."""
    DBOS.enqueue_workflow_with_options(
        {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": job.id,
            # DBOS accepts a workflow without this key, and never runs it.
            "queue_partition_key": f"{job.connection_id}:{job.branch}",
            # Workers only take jobs of their own version of the stages.
            "app_version": VERSION,
        },
        job.id,
    )


class TakeOver:
    """Search for jobs that no process runs, although DBOS has given them to one."""

    def __init__(self, extractions: Extractions, *, worker: str) -> None:
        self._extractions = extractions
        self._worker = worker
        self._idle: set[str] = set()

    def take_over(self, live: Collection[str] | None) -> list[str]:
        """Put jobs of workers that are not in *live* into the queue again, and return their ids.

        If *live* is None, another worker does that. The same is done for jobs of this worker that have not
        been running for two calls. Without the queue's name, DBOS would run a job at the same time as the
        next job of its branch.
        """
        running = DBOS.list_workflows(status="PENDING", queue_name=QUEUE, load_input=False, load_output=False)
        own = {one.workflow_id for one in running if one.executor_id == self._worker}
        idle = own - self._extractions.active()
        lost = [] if live is None else [one.workflow_id for one in running if one.executor_id not in live]
        # In two calls: a job that the queue has just claimed is idle until its first line runs.
        lost += idle & self._idle
        self._idle = idle
        for workflow_id in lost:
            DBOS.resume_workflow(workflow_id, queue_name=QUEUE)
        return lost


def give_up(state: State) -> None:
    """End the jobs whose workflow has failed for a reason of its own, such as a defect of a stage."""
    # Only these are asked for: DBOS's table has the workflows of a week.
    active = [job.id for job in active_jobs(state)]
    if not active:
        return
    ended = DBOS.list_workflows(workflow_ids=active, status=list(_ENDED), load_input=False)
    for workflow in ended:
        if not get_job(state, workflow.workflow_id).status.is_over:
            error = workflow.error
            name = error.name if isinstance(error, PortableWorkflowError) else workflow.status
            failed = finish_job(
                state,
                workflow.workflow_id,
                JobStatus.FAILED,
                error=presentable(f"The job ended unexpectedly: {name}: {first_line(error or '')}"),
                hint="read the log of the worker, and extract again",
                failure="unexpected",
            )
            note_outcome(state, failed)
            add_follow_up(state, failed)


def forget_workflows(before: datetime) -> None:
    """Delete DBOS's rows of workflows that were completed before *before*; jobs remain in our table."""
    # In pieces: one transaction over a week of workflows would hold up the queue.
    while ended := DBOS.list_workflows(
        completed_before=before.isoformat(), limit=500, load_input=False, load_output=False
    ):
        DBOS.delete_workflows([one.workflow_id for one in ended])
