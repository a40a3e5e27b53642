"""Turns of jobs: the order in which waiting jobs begin, and slots of a worker."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict

import pytest

from recce_meta.repositories.state.turns import REMEMBERED, Rank, Slots, Turn, next_turn

BRANCH, REQUEST, FORK = Rank.BRANCH, Rank.PULL_REQUEST, Rank.FORK


def turn(job_id: str, rank: Rank, repository: str = "shop", at: float = 0.0) -> Turn:
    return Turn(job_id, rank, repository, at)


def order(waiting: list[Turn], *, slots: int = 3, free: int | None = None) -> list[str]:
    """Return the ids of jobs in the order in which they begin, one at a time with *free* slots."""
    recent: list[Turn] = []
    names = []
    while chosen := next_turn(waiting, recent, free=slots if free is None else free, slots=slots):
        waiting = [one for one in waiting if one is not chosen]
        recent.insert(0, chosen._replace(at=len(recent) + 1.0))
        names.append(chosen.job_id)
    return names


def test_branches_precede_pull_requests_and_these_forks() -> None:
    assert order([turn("f", FORK), turn("p", REQUEST), turn("b", BRANCH)]) == ["b", "p", "f"]


def test_each_rank_gets_every_fifth_slot() -> None:
    waiting = [turn(f"b{n}", BRANCH) for n in range(12)]
    waiting += [turn(f"p{n}", REQUEST) for n in range(12)] + [turn(f"f{n}", FORK) for n in range(12)]
    began = "".join(name[0] for name in order(waiting))
    contended = began[: began.rindex("b")]
    for rank in "bpf":
        assert max(map(len, contended.split(rank))) <= 4, began
    assert contended.count("b") >= len(contended) // 2


def test_repositories_take_turns() -> None:
    waiting = [turn(f"a{n}", BRANCH, "a") for n in range(3)] + [
        turn("b", BRANCH, "b"),
        turn("c", BRANCH, "c"),
    ]
    assert order(waiting) == ["a0", "b", "c", "a1", "a2"]


@pytest.mark.parametrize(
    ("slots", "free", "waiting", "expected"),
    [
        (2, 1, [turn("f", FORK)], []),
        (2, 2, [turn("f", FORK)], ["f"]),
        (2, 1, [turn("f", FORK), turn("p", REQUEST)], ["p"]),
        (1, 1, [turn("f", FORK)], ["f"]),
        (1, 1, [turn("f", FORK), turn("b", BRANCH)], ["b", "f"]),
        (2, 0, [turn("b", BRANCH)], []),
    ],
)
def test_a_fork_never_takes_the_last_free_slot(
    slots: int, free: int, waiting: list[Turn], expected: list[str]
) -> None:
    assert order(waiting, slots=slots, free=free) == expected


def test_a_rank_that_has_just_come_does_not_pass_those_that_wait() -> None:
    recent = [turn(f"b{n}", BRANCH, at=n) for n in range(REMEMBERED, 0, -1)]
    waiting = [turn("b", BRANCH, at=1.0), turn("p", REQUEST, at=REMEMBERED + 1.0)]
    chosen = next_turn(waiting, recent, free=1, slots=2)
    assert chosen is not None and chosen.job_id == "b"


@pytest.mark.parametrize("slots", [1, 2, 4])
def test_a_push_waits_for_one_stage_at_most_beside_forks_that_never_end(slots: int) -> None:
    """Twenty forks take every slot that they get; pushes begin when the first of the running stages ends."""
    choose = random.Random(slots)
    waits: defaultdict[Rank, list[int]] = defaultdict(list)

    async def work(shared: Slots, name: str, rank: Rank) -> None:
        begun = clock[0]
        async with shared.taken(name, rank, name):
            waits[rank].append(clock[0] - begun)
            for _ in range(5 if rank is FORK else 1):
                await asyncio.sleep(0)

    clock = [0]

    async def run() -> None:
        shared = Slots(slots)
        jobs: set[asyncio.Task[None]] = set()
        for clock[0] in range(600):
            forks = sum(job.get_name() == "fork" for job in jobs if not job.done())
            jobs |= {asyncio.create_task(work(shared, f"f{n}", FORK), name="fork") for n in range(20 - forks)}
            if choose.random() < 0.2:
                jobs.add(asyncio.create_task(work(shared, "shop", BRANCH), name="push"))
            await asyncio.sleep(0)
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        # Cancelled jobs give their slots back.
        assert shared._free == slots and not shared._waiting

    asyncio.run(run())
    pushes = sorted(waits[BRANCH])
    assert len(pushes) > 80 and len(waits[FORK]) > 20
    # One slot is shared with forks, which hold it for some steps; otherwise a slot is free for pushes.
    assert pushes[int(len(pushes) * 0.95)] <= (8 if slots == 1 else 3), pushes[-10:]


def test_a_job_that_waits_leaves_its_slot_to_others() -> None:
    order: list[str] = []

    async def wait(shared: Slots, begun: asyncio.Event, is_over: asyncio.Event) -> None:
        async with shared.taken("patient", BRANCH, "a") as slot:
            async with slot.given_back():
                begun.set()
                await is_over.wait()
            order.append("patient")
            assert shared._free == 0

    async def run() -> None:
        shared, begun, is_over = Slots(1), asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(wait(shared, begun, is_over))
        await begun.wait()
        async with shared.taken("other", BRANCH, "b"):
            is_over.set()
            await asyncio.sleep(0.01)
            order.append("other")
        await task
        begun.clear()
        is_over.clear()
        cancelled = asyncio.create_task(wait(shared, begun, is_over))
        await begun.wait()
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        assert shared._free == 1 and not shared._waiting, "a job that ends without its slot gives back none"

    asyncio.run(run())
    assert order == ["other", "patient"]
