"""What is asked again, and what is not."""

from __future__ import annotations

import pytest

from recce_meta.adapter.cancellation import ATTEMPTS, NO_ANSWER, retry
from recce_meta.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    ConnectionLost,
    QueryTimeout,
    SyntaxFailed,
    TransientFailure,
    WarehouseError,
)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited, which are not."""
    found: list[float] = []
    monkeypatch.setattr("time.sleep", found.append)
    return found


class Work:
    """Fails as often as it is told to, and says how often it was done."""

    def __init__(self, error: WarehouseError, failures: int = 99) -> None:
        self.error, self.failures = error, failures
        self.given: list[float | None] = []

    def __call__(self, left: float | None) -> str:
        self.given.append(left)
        if len(self.given) <= self.failures:
            raise self.error
        return "done"


@pytest.mark.parametrize("only_reads", [True, False])
def test_what_passes_is_tried_again_whatever_it_does(pauses: list[float], only_reads: bool) -> None:
    work = Work(TransientFailure("in the way"), failures=2)

    assert retry(work, only_reads=lambda: only_reads) == "done"
    assert len(work.given) == 3
    assert 0.05 <= pauses[0] <= 0.1 <= pauses[1] <= 0.2


def test_a_lost_connection_is_no_loss_to_what_only_reads(pauses: list[float]) -> None:
    assert retry(Work(ConnectionLost("cut"), failures=1), only_reads=lambda: True) == "done"


def test_a_lost_connection_is_told_where_something_may_have_been_done(pauses: list[float]) -> None:
    work = Work(ConnectionLost("cut"))

    with pytest.raises(ConnectionLost):
        retry(work, only_reads=lambda: False)

    assert (len(work.given), pauses) == (1, [])


def test_nothing_is_repeated_if_the_server_answers_no_new_connection() -> None:
    work = Work(ConnectionLost("cut", code=NO_ANSWER))

    with pytest.raises(ConnectionLost):
        retry(work, only_reads=lambda: True)

    assert len(work.given) == 1


@pytest.mark.parametrize("kind", [TransientFailure, ConnectionLost])
def test_in_the_end_it_is_told(pauses: list[float], kind: type[WarehouseError]) -> None:
    work = Work(kind("still"))

    with pytest.raises(kind, match="still"):
        retry(work, only_reads=lambda: True)

    assert len(work.given) == ATTEMPTS
    assert pauses == sorted(pauses)


@pytest.mark.parametrize(
    "kind", [AuthenticationFailed, ConnectionFailed, QueryTimeout, SyntaxFailed, WarehouseError]
)
def test_nothing_else_is_tried_again(pauses: list[float], kind: type[WarehouseError]) -> None:
    work = Work(kind("no"))

    with pytest.raises(kind):
        retry(work, only_reads=lambda: True)

    assert (len(work.given), pauses) == (1, [])


def test_all_attempts_share_one_timeout(pauses: list[float]) -> None:
    work = Work(TransientFailure("in the way"))

    with pytest.raises(TransientFailure):
        retry(work, only_reads=lambda: True, timeout=10)

    assert work.given[0] == 10
    assert all(left is not None and left < 10 for left in work.given[1:])


def test_no_attempt_begins_after_the_timeout(pauses: list[float]) -> None:
    work = Work(TransientFailure("in the way"))

    with pytest.raises(TransientFailure):
        retry(work, only_reads=lambda: True, timeout=0.01)

    assert (len(work.given), pauses) == (1, [])
