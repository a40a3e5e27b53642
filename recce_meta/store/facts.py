"""What the catalog of a live database knew of its relations' data, beside the nodes of a scan.

Facts are cut into parts by a hash of the unique ids, as graphs are: a part in which no figure differs is
stored once, so that a scan of an unchanged database writes the list of its parts, and no facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import RunMetadata
from recce_meta.models.catalog import RelationFacts
from recce_meta.store import content
from recce_meta.store.content import Row
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store
from recce_meta.store.rows import in_utc, names_of

PART_COLUMNS = ("run_id", "part_id")
FACT_COLUMNS = ("part_id", "unique_id", "row_estimate", "bytes", "created_at", "altered_at")

_FEWER = 8
"""How many times fewer parts there are than a graph of as many nodes has: sizes change together, and every
scan writes the list of its parts."""


def write_facts(store: StoreSession, run_id: str, facts: Sequence[RelationFacts]) -> int:
    """Write what is missing of *facts*, within the open transaction of a writer; how many rows of them."""
    if not facts:
        return 0
    places = sorted(map(_row, facts), key=lambda row: str(row[0]))
    parts = content.parts_of(places, max(1, content.part_count(len(places)) // _FEWER))
    store.insert("fact_parts", PART_COLUMNS, ((run_id, part) for part in parts))
    missing = names_of(store.query("missing_fact_parts", run_id=run_id))
    rows = content.part_rows((part, parts[part]) for part in missing)
    store.insert("relation_facts", FACT_COLUMNS, rows)
    return sum(len(parts[part]) for part in missing)


def read_facts(store: StoreSession, run_id: str) -> tuple[RelationFacts, ...]:
    """The facts of a run, sorted by unique id; times are in UTC."""
    found = map(_facts_of, store.query("facts", run_id=run_id))
    return tuple(sorted(found, key=lambda facts: facts.unique_id))


def load_facts(
    adapter: UnifiedSqlAdapter, run: RunMetadata, *, schema: str = DEFAULT_SCHEMA
) -> tuple[RelationFacts, ...]:
    """What the catalog knew of the data when *run* was scanned, sorted by unique id; none of other runs."""
    with open_store(adapter, schema) as store:
        return read_facts(store, run.run_id)


def _row(facts: RelationFacts) -> Row:
    # In UTC, so that equal moments are equal facts.
    times = map(in_utc, (facts.created_at, facts.altered_at))
    return (facts.unique_id, facts.row_estimate, facts.bytes, *times)


def _facts_of(row: tuple[Any, ...]) -> RelationFacts:
    unique_id, row_estimate, size, created_at, altered_at = row
    return RelationFacts(
        unique_id=unique_id,
        row_estimate=row_estimate,
        bytes=size,
        created_at=in_utc(created_at),
        altered_at=in_utc(altered_at),
    )
