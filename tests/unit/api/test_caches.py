"""Bounded caches under threads: single builds, errors, sizes."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from recce_meta.api.caches import LruCache, memory_of
from recce_meta.models import LineageEdge


def test_drops_the_entry_that_was_not_used_for_the_longest_time():
    cache = LruCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_sizes_add_up_when_entries_are_replaced_or_too_large():
    cache = LruCache(10)
    cache.put("a", "x", 6)
    cache.put("a", "y", 4)
    cache.put("b", "z", 6)
    assert (cache.size, cache.values()) == (10, ["y", "z"])
    cache.put("a", "larger than the cache", 11)
    assert (cache.size, cache.get("a")) == (6, None)
    cache.put("c", "w", 5)
    assert (cache.size, cache.values()) == (5, ["w"])


def test_the_key_counts_because_readers_choose_it():
    cache = LruCache(10_000, memory_of)
    for number in range(10):
        cache.get_or_build(("search", f"{number}{'x' * 4000}"), lambda: None)
    assert len(cache.values()) == 2


def test_a_value_that_is_put_is_measured_with_its_key():
    cache = LruCache(10_000, memory_of)
    cache.put("a", "x" * 4000)
    assert 4000 < cache.size < 5000
    cache.put("b" * 4000, None)
    assert 8000 < cache.size < 10_000
    cache.put("c", "x" * 20_000)
    assert cache.get("c") is None


def test_a_value_may_be_none():
    cache, built = LruCache(2), []
    assert [cache.get_or_build("a", lambda: built.append(1)) for _ in range(3)] == [None] * 3
    assert built == [1]


def test_threads_that_need_one_value_build_it_once():
    cache, built, everyone = LruCache(10), Counter(), threading.Barrier(8)

    def build(key: int) -> object:
        built[key] += 1
        threading.Event().wait(0.05)
        return object()

    def need(number: int) -> object:
        everyone.wait()
        return cache.get_or_build(number % 2, lambda: build(number % 2))

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(need, range(8)))
    assert built == {0: 1, 1: 1}
    assert len(set(found)) == 2
    assert not cache._building


def test_after_an_error_the_next_thread_builds_the_value():
    cache, calls, everyone = LruCache(10), Counter(), threading.Barrier(4)

    def build() -> str:
        calls["all"] += 1
        threading.Event().wait(0.02)
        if calls["all"] == 1:
            raise ValueError("first")
        return "built"

    def need(_: int) -> str:
        everyone.wait()
        try:
            return cache.get_or_build("a", build)
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(4) as threads:
        found = Counter(threads.map(need, range(4)))
    assert found == {"first": 1, "built": 3}
    assert calls["all"] == 2
    assert not cache._building


def test_many_threads_never_exceed_the_size():
    cache = LruCache(100, len)

    def work(number: int) -> None:
        for i in range(200):
            value = "x" * ((number * 7 + i) % 40)
            assert cache.get_or_build(value, partial(str, value)) == value

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert cache.size == sum(2 * len(value) + 2 for value in cache.values()) <= 100


@pytest.mark.parametrize("count", [3, 1_000])
def test_memory_counts_what_a_value_contains(count):
    rows = [{"name": f"column {i}" * 20, "number": float(i)} for i in range(count)]
    least = sum(sys.getsizeof(row) + sys.getsizeof(row["name"]) for row in rows)
    assert least <= memory_of(rows) <= 2 * least
    edges = tuple(LineageEdge(f"model.{i}", f"source.{i}") for i in range(count))
    assert memory_of(edges) >= count * (sys.getsizeof(edges[0]) + 2 * sys.getsizeof("model.1"))
