"""Diffs of pairs of stored runs that are kept, for the command, pages, the HTTP API, agents and comments."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.caches import LruCache, memory_of
from recce_meta.models import RunDiff
from recce_meta.provisional import provisional_count
from recce_meta.store.change_counter import change_counter
from recce_meta.store.kept_diffs import find_diff, keep_diff

DIFF_BYTES = 24 * 2**20
"""Size of the diffs that stay in memory while the store changes: about 100."""
PASSING_BYTES = 8 * 2**20
"""Size of the diffs that stay in memory until the store changes."""
WORTH_SECONDS = 1.0
"""Time from which a diff is worth a row in the store."""


class KeptDiffs:
    """Diffs of one store, each computed once.

    The key of a diff has all that it follows from (`recce_meta.api.diff.diff_key`). A provisional diff is
    kept until the next write to the store, and so is a diff during which the store was written to.
    """

    def __init__(self, *, saves: bool = False) -> None:
        """Keep diffs in memory; with *saves*, note those that `save` stores."""
        self._saves = saves
        self._lasting = LruCache(DIFF_BYTES, memory_of)
        self._passing = LruCache(PASSING_BYTES, memory_of)
        self._unsaved: dict[bytes, RunDiff] = {}

    def get_or_compute(
        self, key: bytes, adapter: UnifiedSqlAdapter, compute: Callable[[], RunDiff]
    ) -> RunDiff:
        """Return the diff of *key*: the kept one, or that of *compute*, for which other threads wait.

        *adapter* is that of the store, which may have a diff that another process has computed.
        """
        found: RunDiff | None = self._lasting.get(key)
        if found is not None:
            return found
        counter, found = find_diff(adapter, key)
        if found is not None:
            self._lasting.put(key, found)
            return found

        def build() -> RunDiff:
            noted, start = provisional_count(), monotonic()
            diff = compute()
            seconds = monotonic() - start
            # A run may have been removed meanwhile, and its id may return.
            if provisional_count() == noted and change_counter(adapter) == counter:
                self._lasting.put(key, diff)
                if self._saves and seconds >= WORTH_SECONDS:
                    self._unsaved[key] = diff
            return diff

        return self._passing.get_or_build((key, counter), build)

    def has(self, key: bytes, adapter: UnifiedSqlAdapter) -> bool:
        """Return True if the diff of *key* is in memory, and still that of the store of *adapter*."""
        if self._lasting.get(key) is not None:
            return True
        # Without any, the store is not asked.
        return bool(self._passing.size) and self._passing.get((key, change_counter(adapter))) is not None

    @property
    def is_worth_saving(self) -> bool:
        """True if a diff took long to compute, and the store does not have it."""
        return bool(self._unsaved)

    def save(self, adapter: UnifiedSqlAdapter) -> None:
        """Store the diffs that took long to compute, if *adapter*, that of the store, may write."""
        unsaved, self._unsaved = self._unsaved, {}
        for key, diff in unsaved.items():
            keep_diff(adapter, key, diff)
