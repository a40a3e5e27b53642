"""Tasks of the state: one of a kind and key at a time, leases, and many workers, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import update

from recce_meta.repositories.state import connections, tables
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tasks import (
    add_task,
    claim_task,
    end_task,
    forget_tasks,
    list_tasks,
    renew_lease,
    retry_task,
)
from recce_meta.repositories.state.types import Task, TaskKind, TaskStatus
from tests.support import states

LEASE = timedelta(seconds=60)
LATER = timedelta(hours=1)


@pytest.fixture(params=states.DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    """Return the open state, with a connection `shop`."""
    server = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with states.state_address(request.param, tmp_path, server) as address, states.opened(address) as opened:
        connections.add_connection(opened, states.shop(id="shop"))
        yield opened


def add(state: State, key: str = "k", *, kind: TaskKind = TaskKind.REPORT, **given: object) -> None:
    """Add a task with a transaction of its own."""
    delay = given.pop("delay", timedelta(0))
    assert isinstance(delay, timedelta)
    with state.write() as session:
        add_task(state, session, kind, key, "shop", given, delay=delay)


def claimed(state: State, worker: str = "ada", lease: timedelta = LEASE) -> Task:
    """Return the next task, which must be due."""
    task = claim_task(state, worker, lease=lease)
    assert task is not None
    return task


def let_lease_end(state: State) -> None:
    """Set the end of every lease to a time in the past."""
    with state.write() as session:
        past = datetime.now(timezone.utc) - timedelta(days=1)
        session.execute(update(tables.tasks).values(lease_until=past))


def test_requests_join_the_waiting_task_and_a_running_one_gets_a_successor(state: State) -> None:
    add(state, number=1)
    add(state, number=2)
    first = claimed(state)
    add(state, number=3)
    add(state, number=4)

    assert first.payload == {"number": 2}
    assert (first.status, first.worker, first.attempts) == (TaskStatus.RUNNING, "ada", 1)
    # The successor waits for the running one.
    assert claim_task(state, "bob", lease=LEASE) is None
    end_task(state, first)
    second = claimed(state, "bob")
    assert second.payload == {"number": 4}
    end_task(state, second, error="broken")
    assert [(one.status, one.error) for one in list_tasks(state, is_open=False)] == [
        (TaskStatus.FAILED, "broken"),
        (TaskStatus.DONE, None),
    ]
    assert list_tasks(state) == []


def test_tasks_are_begun_in_the_order_of_their_times_and_only_of_the_asked_kinds(state: State) -> None:
    add(state, "late", delay=LATER)
    add(state, "one")
    add(state, "two", kind=TaskKind.PRUNE)

    assert claim_task(state, "ada", lease=LEASE, kinds=[TaskKind.NOTIFY]) is None
    assert [claimed(state).key for _ in range(2)] == ["one", "two"]
    assert claim_task(state, "ada", lease=LEASE) is None
    # A request without a delay brings the waiting task forward.
    add(state, "late")
    assert claimed(state).key == "late"


def test_a_killed_worker_loses_its_task_after_the_lease(state: State) -> None:
    add(state)
    lost = claimed(state)
    assert renew_lease(state, lost, lease=LEASE)
    assert claim_task(state, "bob", lease=LEASE) is None
    let_lease_end(state)
    taken = claimed(state, "bob")

    assert (taken.row, taken.attempts, taken.worker) == (lost.row, 2, "bob")
    # What the first worker still says is not heard.
    assert not renew_lease(state, lost, lease=LEASE)
    end_task(state, lost)
    retry_task(state, lost, delay=timedelta(0), error="late")
    (task,) = list_tasks(state)
    assert (task.status, task.worker, task.error) == (TaskStatus.RUNNING, "bob", None)
    assert renew_lease(state, taken, lease=LEASE)


def test_a_failed_task_waits_unless_a_newer_one_does_its_work(state: State) -> None:
    add(state)
    retry_task(state, claimed(state), delay=LATER, error="outage")
    (waiting,) = list_tasks(state)
    assert (waiting.status, waiting.error, waiting.attempts) == (TaskStatus.PENDING, "outage", 1)
    assert claim_task(state, "ada", lease=LEASE) is None
    # An event while it waits lets it begin at once, with as many attempts as a new one.
    add(state)
    again = claimed(state)
    assert (again.row, again.attempts) == (waiting.row, 1)

    add(state)
    retry_task(state, again, delay=LATER, error="outage")
    newer = claimed(state)
    assert newer.row != again.row
    assert [one.status for one in list_tasks(state, is_open=False)] == [TaskStatus.DONE]


def test_old_tasks_are_forgotten_and_open_ones_stay(state: State) -> None:
    for key in ("one", "two", "three"):
        add(state, key)
    end_task(state, claimed(state))
    end_task(state, claimed(state), error="broken")
    forget_tasks(state, datetime.now(timezone.utc) - timedelta(hours=1))
    assert len(list_tasks(state, is_open=False)) == 2

    forget_tasks(state, datetime.now(timezone.utc) + timedelta(hours=1))

    assert list_tasks(state, is_open=False) == []
    assert [one.key for one in list_tasks(state)] == ["three"]


def test_a_task_goes_with_its_connection(state: State) -> None:
    add(state)
    connections.remove_connection(state, "shop")
    assert list_tasks(state) == []


def test_of_many_threads_that_add_and_claim_none_loses_or_repeats_a_task(state: State) -> None:
    done: Counter[str] = Counter()
    running: Counter[str] = Counter()
    lock = threading.Lock()
    names = iter(range(8))

    def work() -> None:
        number = next(names)
        for event in range(5):
            add(state, f"{number % 4}", event=event)
        while list_tasks(state):
            task = claim_task(state, f"worker-{number}", lease=LEASE)
            if task is None:
                continue
            with lock:
                running[task.key] += 1
                assert running[task.key] == 1
            with lock:
                running[task.key] -= 1
                done[task.key] += 1
            end_task(state, task)

    states.at_once(8, work)

    ended = list_tasks(state, is_open=False)
    assert {task.key for task in ended} == {"0", "1", "2", "3"}
    assert Counter(task.key for task in ended) == done
    assert all(task.status is TaskStatus.DONE and task.attempts == 1 for task in ended)


def test_what_a_transaction_changes_is_seen_by_the_task_that_it_joins(state: State) -> None:
    written: list[str] = []
    seen: list[int] = []
    is_over = threading.Event()
    names = iter(("writer", "other writer", "worker"))

    def work() -> None:
        name = next(names)
        if name == "worker":
            while not is_over.is_set() or list_tasks(state):
                if (task := claim_task(state, "ada", lease=LEASE)) is not None:
                    with state.read() as session:
                        rows = session.execute(tables.webhook_deliveries.select()).all()
                    seen.append(len(rows))
                    end_task(state, task)
            return
        for number in range(20):
            row = {
                "connection_id": "shop",
                "delivery_id": f"{name} {number}",
                "event": "push",
                "received_at": datetime.now(timezone.utc),
                "outcome": "queued",
            }
            with state.write() as session:
                session.execute(tables.webhook_deliveries.insert().values(row))
                add_task(state, session, TaskKind.REPORT, "k", "shop")
            written.append(name)
        if len(written) == 40:
            is_over.set()

    states.at_once(3, work)

    assert seen[-1] == 40
