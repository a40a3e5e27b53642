"""Diffs of pairs of stored runs that a process keeps, for pages, the HTTP API, agents and comments."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.caches import LruCache, memory_of
from recce_meta.models import RunDiff
from recce_meta.provisional import provisional_count
from recce_meta.store.change_counter import change_counter

DIFF_BYTES = 24 * 2**20
"""Size of the diffs that stay in memory while the store changes: about 100."""
PASSING_BYTES = 8 * 2**20
"""Size of the diffs that stay in memory until the store changes."""


class KeptDiffs:
    """Diffs of one store, each computed once.

    The key of a diff has all that it follows from (`recce_meta.api.diff.diff_key`). A provisional diff is
    kept until the next write to the store, and so is a diff during which the store was written to.
    """

    def __init__(self) -> None:
        self._lasting = LruCache(DIFF_BYTES, memory_of)
        self._passing = LruCache(PASSING_BYTES, memory_of)

    def get_or_compute(
        self, key: Hashable, adapter: UnifiedSqlAdapter, compute: Callable[[], RunDiff]
    ) -> RunDiff:
        """Return the diff of *key*, from *compute* on first use; threads that need the same diff wait for it.

        *adapter* is that of the store.
        """
        found: RunDiff | None = self._lasting.get(key)
        if found is not None:
            return found
        version = change_counter(adapter)

        def build() -> RunDiff:
            noted = provisional_count()
            diff = compute()
            # A run may have been removed meanwhile, and its id may return.
            if provisional_count() == noted and change_counter(adapter) == version:
                self._lasting.put(key, diff)
            return diff

        return self._passing.get_or_build((key, version), build)

    def has(self, key: Hashable, adapter: UnifiedSqlAdapter) -> bool:
        """Return True if the diff of *key* is kept, and still that of the store of *adapter*."""
        if self._lasting.get(key) is not None:
            return True
        # Without any, the store is not asked.
        return bool(self._passing.size) and self._passing.get((key, change_counter(adapter))) is not None
