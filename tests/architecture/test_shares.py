"""The shares of the modules that processes of the tests collect."""

from __future__ import annotations

from pathlib import Path

from tests.support.shares import EXPENSIVE, FEWEST, left_to_others

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "tests").rglob("test_*.py"))


def test_each_module_has_one_process_that_collects_it_or_all() -> None:
    for processes in (1, 2, 3, 4, 9):
        left = [left_to_others(FILES, number, processes) for number in range(processes)]
        collectors = [sum(file not in each for each in left) for file in FILES]

        assert {*collectors} == {1, processes}
        assert collectors.count(1) > len(FILES) / 2
        assert all(
            count == processes
            for file, count in zip(FILES, collectors, strict=True)
            if file.name in EXPENSIVE
        )


def test_a_process_that_replaces_another_one_and_processes_of_few_modules_collect_all() -> None:
    assert left_to_others(FILES, 4, 4) == frozenset()
    assert left_to_others(FILES[: 4 * FEWEST - 1], 0, 4) == frozenset()


def test_the_modules_that_begin_first_are_there() -> None:
    assert set(EXPENSIVE) <= {path.name for path in FILES}
