"""Stores what differs between the graphs of two runs, so that the views of changes need not compute it.

The rows belong to a pair of graphs, not to a run: runs that repeat a graph share them. They are derived. The
view `node_changes` computes those of every other pair.
"""

from __future__ import annotations

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store
from recce_meta.store.retry import retrying

STEPS_OF_A_RUN = 2
"""Number of pairs that recording a run adds at most: from the run before it, and to the run after it."""
STEPS_AT_ONCE = 500
"""Number of pairs that `fill_changes` stores in one transaction."""


def store_changes(store: StoreSession, most: int = STEPS_OF_A_RUN) -> int:
    """Store the changes of up to *most* pairs of graphs that lack them. Return the number of pairs.

    The newest pairs come first. Nothing is stored in a warehouse whose views compute all changes.
    """
    if not store.stores_changes:
        return 0
    ids = [str(run_id) for (run_id,) in store.query("steps_to_store")][:most]
    if ids:
        store.execute("store_changes", ids="\n".join(ids))
    return len(ids)


def fill_changes(adapter: UnifiedSqlAdapter, schema: str = DEFAULT_SCHEMA) -> int:
    """Store the changes of all pairs that lack them. Return their number.

    Each transaction stores some. A fill that is interrupted continues with the rest when it is repeated.
    """

    def work() -> int:
        with open_store(adapter, schema, writes=True) as store:
            return store_changes(store, STEPS_AT_ONCE)

    total = 0
    while stored := retrying(work):
        total += stored
    if total:
        with open_store(adapter, schema, writes=True) as store:
            store.execute("refresh_statistics")
    return total
