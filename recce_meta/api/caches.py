"""Bounded caches of a process that answers many questions, shared by its threads."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from itertools import islice
from threading import Lock
from typing import Any, TypeVar

import msgspec

Value = TypeVar("Value")
_MISSING: Any = object()
SAMPLE = 8
"""Number of items of a collection that are measured; the others count as their average."""
DEPTH = 6


class LruCache:
    """Cache of at most *most* units; the entry that was not used for the longest time is dropped first."""

    def __init__(self, most: int, measure: Callable[[Any], int] | None = None) -> None:
        """Create an empty cache; *measure* returns the bytes of a value; without it, each counts 1."""
        self._most = most
        self._measure = measure
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._size = 0
        self._lock = Lock()
        self._building: dict[Hashable, tuple[Lock, int]] = {}
        """Lock of each value that is being built, and the number of threads that need it."""

    @property
    def size(self) -> int:
        """Number of units in the cache."""
        return self._size

    def get(self, key: Hashable, default: Any = None) -> Any:
        """Return the value of *key*, or *default*."""
        with self._lock:
            # Entries are pairs, so a value of None is found as well.
            found = self._entries.get(key)
            if found is None:
                return default
            self._entries.move_to_end(key)
            return found[0]

    def values(self) -> list[Any]:
        """Return all values, the last used one last."""
        with self._lock:
            # A copy, because other threads change the cache meanwhile.
            return [value for value, _ in self._entries.values()]

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock:
            self._entries.clear()
            self._size = 0

    def put(self, key: Hashable, value: Any, size: int | None = None) -> None:
        """Keep *value*, unless it alone is larger than the cache; without its *size*, it is measured."""
        # Outside the lock: measuring takes longer than the rest.
        size = self._units(key, value) if size is None else size
        with self._lock:
            previous = self._entries.pop(key, None)
            self._size -= previous[1] if previous else 0
            # It would push out all others, and not fit even then.
            if size > self._most:
                return
            self._size += size
            self._entries[key] = (value, size)
            while self._size > self._most:
                _, (_, dropped) = self._entries.popitem(last=False)
                self._size -= dropped

    def get_or_build(self, key: Hashable, build: Callable[[], Value]) -> Value:
        """Return the value of *key*, built on first use; threads that need the same value wait for it.

        If *build* raises, the error is raised, and the next thread that waits builds the value again.
        """
        found = self.get(key, _MISSING)
        if found is not _MISSING:
            return found  # type: ignore[no-any-return]
        with self._lock:
            # A lock for each value: the others are built concurrently.
            own, users = self._building.get(key) or (Lock(), 0)
            self._building[key] = (own, users + 1)
        try:
            with own:
                # The thread that held the lock before may have built it.
                found = self.get(key, _MISSING)
                if found is _MISSING:
                    found = build()
                    self.put(key, found)
        finally:
            with self._lock:
                # Without a count, the lock would be removed while others wait for it, or stay for ever.
                own, users = self._building.pop(key)
                if users > 1:
                    self._building[key] = (own, users - 1)
        return found  # type: ignore[no-any-return]

    def _units(self, key: Hashable, value: Any) -> int:
        # A key contains text of the reader, so it can be larger than the value.
        return 1 if self._measure is None else len(repr(key)) + self._measure(value)


def memory_of(value: Any, depth: int = DEPTH) -> int:
    """Return about the bytes of *value* and of what it contains, measured on a sample of its items."""
    # 64 for objects that cannot report their size.
    size = sys.getsizeof(value, 64)
    # The limit also ends cycles of objects.
    if not depth or isinstance(value, (str, bytes, int, float)) or value is None:
        return size
    if isinstance(value, msgspec.Struct):
        return size + sum(memory_of(getattr(value, name), depth - 1) for name in value.__struct_fields__)
    if isinstance(value, Mapping):
        return size + _sampled(value.items(), len(value), depth)
    if isinstance(value, (list, tuple, set, frozenset)):
        return size + _sampled(value, len(value), depth)
    return size + sum(memory_of(one, depth - 1) for one in getattr(value, "__dict__", {}).values())


def _sampled(items: Collection[Any], count: int, depth: int) -> int:
    """Return the bytes of *items*: those of every n-th of them, multiplied."""
    # Evenly spread, because the items of a list are often sorted by size or kind.
    step = max(1, count // SAMPLE)
    measured = [memory_of(one, depth - 1) for one in islice(items, 0, None, step)]
    return sum(measured) * count // len(measured) if measured else 0
