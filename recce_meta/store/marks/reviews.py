"""Storage of reviews: adds marks of reviewers, and reads them back.

Marks are never changed. A mark is pruned with its current run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.models import RunMetadata
from recce_meta.models.marks.review import Review
from recce_meta.models.rows import ResultList
from recce_meta.redaction import without_passwords
from recce_meta.store.content import Row, digest
from recce_meta.store.read import in_utc, names_of, require_run
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.values import storable

COLUMNS = Review.__struct_fields__
ALL = 2**31
_TEXTS = ("comment", "reviewer", "check_name", "unique_id")
"""Fields with arbitrary text."""
_GIVEN_TEXTS = ("comment", "reviewer")
"""Fields that a person types, in which passwords are masked."""

_macros = msgspec.json.Decoder(tuple[str, ...]).decode


class MacroState(NamedTuple):
    """Version of a macro, and the macros that it calls."""

    unique_id: str
    version_id: str
    name: str
    package: str
    macros: tuple[str, ...]


class NodeState(NamedTuple):
    """Version of a node, and the macros that it calls."""

    version_id: str
    macros: tuple[str, ...]


def stored_form(review: Review) -> Review:
    """Return *review* as it is stored: with storable texts without passwords, and its hash as the id."""
    texts = {name: storable(text) for name in _TEXTS if (text := getattr(review, name)) is not None}
    texts |= {name: without_passwords(texts[name]) for name in _GIVEN_TEXTS}
    # Hashed in its stored form, so that storing a mark again finds it.
    found = replace(review, **texts)
    return replace(found, review_id=review_id_of(found))


def review_id_of(review: Review) -> str:
    """Return the id of *review*, which is in its stored form."""
    fields = [getattr(review, name) for name in COLUMNS if name not in ("review_id", "recorder_version")]
    return digest(msgspec.json.encode(fields))


def save_reviews(adapter: UnifiedSqlAdapter, reviews: Iterable[Review]) -> tuple[Review, ...]:
    """Store *reviews* in one transaction, and return them as they are stored.

    Stored ones are not changed. Waits for other writers. Raises StoreError if a run is not in the store.
    """
    # A tuple, because `work` runs again after a conflict with another writer.
    wanted = tuple(map(stored_form, reviews))

    def work() -> tuple[Review, ...]:
        with open_store(adapter, writes=True) as store:
            for run_id in {one.current_run_id for one in wanted}:
                require_run(store, run_id, "reviews")
            insert_reviews(store, wanted)
        return wanted

    return retrying(adapter, work)


def insert_reviews(store: StoreSession, reviews: Iterable[Review]) -> int:
    """Insert the *reviews* that are not stored yet. Return their number."""
    wanted = {review.review_id: review for review in reviews}
    if not wanted:
        return 0
    known = set(names_of(store.query("stored_reviews", ids="\n".join(wanted))))
    new = [review for review_id, review in wanted.items() if review_id not in known]
    store.insert("reviews", COLUMNS, map(_row, new))
    return len(new)


def list_reviews(
    adapter: UnifiedSqlAdapter,
    *,
    run: RunMetadata | None = None,
    project: str | None = None,
    unique_id: str | None = None,
    check_name: str | None = None,
    limit: int | None = None,
) -> ResultList[Review]:
    """Return the stored marks that match all given filters, newest first, with those that were withdrawn."""
    with open_store(adapter) as store:
        return find_reviews(
            store,
            run_id=None if run is None else run.run_id,
            project=project,
            unique_id=unique_id,
            check_name=check_name,
            most=ALL if limit is None else limit,
        )


def find_reviews(store: StoreSession, **filters: object) -> ResultList[Review]:
    """Return the result of `list_reviews` from an open store."""
    every = {"run_id": None, "project": None, "unique_id": None, "check_name": None, "most": ALL}
    rows = store.query("reviews", **{**every, **filters})
    return ResultList(Review, [Review(**dict(zip(COLUMNS, map(in_utc, row), strict=True))) for row in rows])


def node_states(store: StoreSession, run: RunMetadata, ids: Iterable[str]) -> dict[str, NodeState]:
    """Return the states of the nodes *ids* that *run* has."""
    wanted = "\n".join(ids)
    if not wanted:
        return {}
    rows = store.query("node_states", graph_id=run.graph_id, ids=wanted)
    return {str(node): NodeState(str(version), _macros(str(macros))) for node, version, macros in rows}


def macro_states(store: StoreSession, run: RunMetadata) -> list[MacroState]:
    """Return the states of the macros of *run*."""
    rows = store.query("macro_states", macro_set_id=run.macro_set_id)
    return [
        MacroState(str(unique_id), str(version), str(name), str(package), _macros(str(macros)))
        for unique_id, version, name, package, macros in rows
    ]


def _row(review: Review) -> Row:
    """Return the row of `reviews`, in the order of `COLUMNS`."""
    return tuple(getattr(review, name) for name in COLUMNS)
