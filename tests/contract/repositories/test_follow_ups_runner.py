"""Runner of tasks on SQLite and PostgreSQL: outcomes, retries, leases, shutdown, and several runners."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import update

from recce_meta.errors import ConfigurationError, RecceMetaError, StoreLocked
from recce_meta.repositories.follow_ups.context import Event, EventKind, add_event
from recce_meta.repositories.follow_ups.runner import (
    Handler,
    TaskDelayed,
    TaskRefused,
    TaskRunner,
    TaskSettings,
    can_retry,
)
from recce_meta.repositories.forges.base import ForgeFailure, ForgeFailureKind
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.git.http import HttpFailure, HttpFailureKind
from recce_meta.repositories.state import connections, tables
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tasks import add_task, claim_task, end_task, list_tasks
from recce_meta.repositories.state.types import Task, TaskKind, TaskStatus
from recce_meta.repositories.worker import Worker, WorkerSettings
from tests.support import states

OUTAGE = ForgeFailure(ForgeFailureKind.OUTAGE, "the forge does not answer")
QUICK = TaskSettings(delays=(0.01,), jitter=0)


@pytest.fixture(params=states.DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    """Return the open state, with a connection `shop`."""
    server = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with states.state_address(request.param, tmp_path, server) as address, states.opened(address) as opened:
        connections.add_connection(opened, states.shop(id="shop", notify=("one", "two")))
        yield opened


def add(state: State, key: str = "k", kind: TaskKind = TaskKind.REPORT) -> None:
    """Add a task with a transaction of its own."""
    with state.write() as session:
        add_task(state, session, kind, key, "shop")


def runner(state: State, handler: Handler, settings: TaskSettings = QUICK, worker: str = "ada") -> TaskRunner:
    """Return a runner of reports."""
    return TaskRunner(state, {TaskKind.REPORT: handler}, worker=worker, settings=settings)


async def run_all(state: State, tasks: TaskRunner) -> None:
    """Run tasks until none of its kind waits or runs."""
    while any(task.kind is TaskKind.REPORT for task in list_tasks(state)):
        await tasks.begin_due()
        await tasks.finish()
        await asyncio.sleep(0.005)


def ended(state: State) -> list[tuple[TaskStatus, str | None, int]]:
    """Return status, error and attempts of the tasks that ended, the newest first."""
    return [(one.status, one.error, one.attempts) for one in list_tasks(state, is_open=False)]


def failing(*errors: Exception) -> Handler:
    """Return a handler that raises *errors* one after the other, and then succeeds."""
    left = iter(errors)

    async def handle(_: Task) -> None:
        for error in left:
            raise error

    return handle


def test_a_failure_that_heals_is_tried_again_and_any_other_ends_the_task(
    state: State, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    add(state)
    asyncio.run(
        run_all(state, runner(state, failing(OUTAGE, OUTAGE, StoreLocked("locked"), OSError("gone"))))
    )
    assert ended(state) == [(TaskStatus.DONE, None, 5)]
    assert len(caplog.records) == 1, "one line for all attempts"

    for error, message in (
        (ConfigurationError("no such store"), "no such store"),
        (ForgeFailure(ForgeFailureKind.SCOPE, "the token may not comment"), "the token may not comment"),
        (KeyError("defect"), "KeyError: 'defect'"),
        (TaskRefused("shown elsewhere"), "shown elsewhere"),
    ):
        add(state)
        asyncio.run(run_all(state, runner(state, failing(error))))
        assert ended(state)[0] == (TaskStatus.FAILED, message, 1)
    assert "shown elsewhere" not in caplog.text


def test_a_secret_in_a_defect_is_not_stored(state: State) -> None:
    add(state)
    asyncio.run(run_all(state, runner(state, failing(ValueError("https://u:S3cretS3cret@host/x")))))
    ((_, error, _),) = ended(state)
    assert error == "ValueError: https://u:***@host/x"


def test_attempts_end_when_patience_ends(state: State) -> None:
    add(state)
    settings = TaskSettings(delays=(0.01, 0.02), jitter=0, patience=timedelta(seconds=0.04))
    asyncio.run(run_all(state, runner(state, failing(*[OUTAGE] * 20), settings)))
    # Pauses of 10, 20 and 20 ms are more than 40 ms.
    assert ended(state) == [(TaskStatus.FAILED, OUTAGE.message, 4)]


def test_pauses_grow_and_a_server_may_ask_for_a_longer_one(state: State) -> None:
    add(state)

    async def pauses(*errors: Exception) -> list[float]:
        found = []
        tasks = runner(state, failing(*errors), TaskSettings(jitter=0))
        for _ in errors:
            await tasks.begin_due()
            await tasks.finish()
            (task,) = list_tasks(state)
            found.append((task.due_at - datetime.now(timezone.utc)).total_seconds())
            with state.write() as session:
                session.execute(update(tables.tasks).values(due_at=datetime(2026, 1, 1, tzinfo=timezone.utc)))
        return found

    asked = ForgeFailure(ForgeFailureKind.RATE_LIMIT, "slower", retry_after=4000)
    found = asyncio.run(
        pauses(OUTAGE, OUTAGE, OUTAGE, OUTAGE, OUTAGE, asked, TaskDelayed("wait", retry_after=1))
    )
    assert [round(one, -1) for one in found] == [10, 60, 300, 900, 900, 4000, 900]


def test_of_two_workers_one_has_the_lease_and_a_lost_lease_stops_the_work(state: State) -> None:
    add(state)
    was_stopped = threading.Event()

    async def endless(_: Task) -> None:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            was_stopped.set()
            raise

    async def lose() -> None:
        tasks = runner(state, endless, TaskSettings(lease=timedelta(seconds=1)))
        await tasks.begin_due()
        (begun,) = list_tasks(state)
        while list_tasks(state)[0].lease_until == begun.lease_until:  # until it is renewed
            await asyncio.sleep(0.02)
        assert claim_task(state, "bob", lease=timedelta(minutes=1)) is None
        with state.write() as session:  # as if the lease had ended, and bob had begun the task
            session.execute(update(tables.tasks).values(worker="bob", attempts=2))
        (taken,) = list_tasks(state)
        await tasks.finish()
        end_task(state, taken)

    asyncio.run(lose())
    assert was_stopped.is_set()
    assert ended(state) == [(TaskStatus.DONE, None, 2)]


def test_a_worker_that_stops_gives_its_tasks_back_at_once(state: State) -> None:
    add(state)

    async def endless(_: Task) -> None:
        await asyncio.sleep(600)

    async def begin_and_stop() -> None:
        tasks = runner(state, endless)
        await tasks.begin_due()
        await asyncio.sleep(0.01)
        await tasks.stop()

    asyncio.run(begin_and_stop())
    (task,) = list_tasks(state)
    assert task.status is TaskStatus.PENDING
    asyncio.run(run_all(state, runner(state, failing(), worker="bob")))
    assert ended(state)[0][0] is TaskStatus.DONE


def test_runners_in_several_threads_do_each_task_once_and_few_at_the_same_time(state: State) -> None:
    done: Counter[str] = Counter()
    running: set[str] = set()
    names = iter(range(3))
    for number in range(40):
        add(state, f"{number}")

    def work() -> None:
        name = f"worker-{next(names)}"
        own: set[str] = set()

        async def handle(task: Task) -> None:
            assert task.key not in running
            running.add(task.key)
            own.add(task.key)
            assert len(own) <= 3
            await asyncio.sleep(0.001)
            own.discard(task.key)
            running.discard(task.key)
            done[task.key] += 1

        asyncio.run(run_all(state, runner(state, handle, TaskSettings(at_once=3), name)))

    states.at_once(3, work)

    assert done == Counter({f"{number}": 1 for number in range(40)})
    assert {status for status, _, _ in ended(state)} == {TaskStatus.DONE}


def test_a_worker_does_tasks_and_gives_them_back_when_it_stops(state: State, tmp_path: Path) -> None:
    begun, is_done = threading.Event(), threading.Event()

    async def quick(_: Task) -> None:
        is_done.set()

    async def endless(_: Task) -> None:
        begun.set()
        await asyncio.sleep(600)

    settings = WorkerSettings(work=tmp_path / "work", tick_seconds=0.05)
    handlers: dict[TaskKind, Handler] = {TaskKind.REPORT: quick, TaskKind.PRUNE: endless}
    worker = Worker(state, {}, settings, handlers=handlers)
    worker.start()
    try:
        add(state)
        add(state, kind=TaskKind.PRUNE)
        assert is_done.wait(60)
        assert begun.wait(60)
    finally:
        worker.stop()

    (task,) = list_tasks(state)
    assert (task.kind, task.status) == (TaskKind.PRUNE, TaskStatus.PENDING)
    assert [one.status for one in list_tasks(state, is_open=False)] == [TaskStatus.DONE]


def test_an_event_is_one_task_for_each_address_also_if_it_is_added_again(state: State) -> None:
    shop = connections.get_connection(state, "shop")
    event = Event(
        kind=EventKind.FAILURE,
        job_id="shop:main:3",
        connection="shop",
        branch="main",
        title="shop main failed",
        lines=("In parse: no such model",),
        url="https://recce.example.com/jobs/3",
    )
    add_event(state, shop, event)
    add_event(state, shop, event)
    waiting = list_tasks(state)
    assert [task.key for task in reversed(waiting)] == ["failure:shop:main:3:0", "failure:shop:main:3:1"]
    assert waiting[0].payload == {
        "id": "failure:shop:main:3",
        "kind": "failure",
        "connection": "shop",
        "branch": "main",
        "title": "shop main failed",
        "text": "In parse: no such model",
        "url": "https://recce.example.com/jobs/3",
        "index": 1,
    }
    for _ in waiting:
        task = claim_task(state, "ada", lease=timedelta(minutes=1))
        assert task is not None
        end_task(state, task)

    add_event(state, shop, event)
    assert list_tasks(state) == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ForgeFailure(ForgeFailureKind.RATE_LIMIT, "slower"), True),
        (ForgeFailure(ForgeFailureKind.TOKEN, "refused"), False),
        (GitFailure(GitFailureKind.NETWORK, "down", can_retry=True), True),
        (GitFailure(GitFailureKind.TOKEN, "refused"), False),
        (HttpFailure(HttpFailureKind.NETWORK, "down"), True),
        (HttpFailure(HttpFailureKind.ADDRESS, "private"), False),
        (TaskDelayed("wait", retry_after=1), True),
        (RecceMetaError("broken"), False),
        (TypeError("defect"), False),
    ],
)
def test_errors_that_may_heal(error: Exception, expected: bool) -> None:
    assert can_retry(error) is expected
