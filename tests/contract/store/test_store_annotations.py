"""Notes, tags and owners: added as changes, concurrent writers lose none, and the latest change is shown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.marks.annotation import (
    LONGEST_ITEM,
    LONGEST_NOTE,
    MOST_REPLACED,
    PRESENT,
    AnnotationEvent,
    AnnotationTarget,
    annotations_of,
    event_id_of,
    event_problem,
    event_states,
    with_id,
)
from recce_meta.store.marks.annotations import (
    AnnotationChange,
    add_annotations,
    insert_events,
    list_annotations,
)
from recce_meta.store.prune import Retention, prune
from recce_meta.store.session import init_store, open_store
from recce_meta.store.write import record_run

pytestmark = pytest.mark.core("sqlite")

AT = datetime(2026, 11, 1, 12, 0, 0, 123000, tzinfo=timezone.utc)
NASTY = "ünï 漢字 🦆 'q' \"d\" \\ \\N %s :x {{ y }} </script>\tend\n\u202e."
NODE = AnnotationTarget(project_name="shop", unique_id="model.shop.m003")
COLUMN = replace(NODE, column_name='I"d')
EDGE = replace(NODE, parent_id="model.shop.m002")
COLUMN_EDGE = replace(COLUMN, parent_id="model.shop.m002", parent_column="id")


@pytest.fixture
def notes(store: Any, prepared: Any) -> Any:
    """An empty store."""
    if prepared is None:
        init_store(store.adapter.at(store.schema))
    return store


def add(store: Any, *changes: AnnotationChange, **given: Any) -> tuple[AnnotationEvent, ...]:
    fields: dict[str, Any] = {"author": "Ann", "now": AT, **given}
    return add_annotations(store.adapter.at(store.schema), changes, **fields)


def note(text: str | None, target: AnnotationTarget = NODE) -> AnnotationChange:
    return AnnotationChange(target, "note", value=text)


def tag(name: str, value: str | None = PRESENT) -> AnnotationChange:
    return AnnotationChange(NODE, "tag", name, value)


def present(store: Any, **filters: Any) -> list[tuple[str, str, str | None]]:
    found = list_annotations(store.adapter.at(store.schema), **filters)
    return [(one.field, one.item, one.value) for one in found]


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_nodes_columns_and_edges_have_notes_of_their_own(notes: Any) -> None:
    targets = (NODE, COLUMN, EDGE, COLUMN_EDGE, replace(NODE, project_name="other"))
    written = add(notes, *(note(f"{NASTY} {n}", target) for n, target in enumerate(targets)), author=NASTY)

    found = list_annotations(notes.adapter.at(notes.schema))
    assert {one.target: one.value for one in found} == {
        target: f"{NASTY} {n}" for n, target in enumerate(targets)
    }
    assert sorted(one.event_id for one in written) == sorted(one.event_id for one in found)
    assert all(event_problem(one) is None for one in found)
    assert {one.author for one in found} == {" ".join(NASTY.split())}
    assert {one.edited_at for one in found} == {AT}
    assert len(present(notes, project="shop")) == 4
    assert present(notes, unique_ids=["model.shop.m004"]) == present(notes, unique_ids=[]) == []
    assert len(present(notes, project="shop", unique_ids=[NODE.unique_id, "x"])) == 4
    many = [f"model.shop.{n:060}" for n in range(1_000)]
    assert len(present(notes, project="shop", unique_ids=[NODE.unique_id, *many])) == 4
    assert notes.scalar("SELECT COUNT(*) FROM {s}.annotations") == 5


def test_a_later_change_replaces_the_value_and_keeps_the_earlier_ones(notes: Any) -> None:
    add(notes, note("one"), tag("b"), tag("a"), AnnotationChange(NODE, "owner", "Team  X", PRESENT))
    # The clock of the second writer is years behind, yet it saw the first value.
    (second,) = add(notes, note("two"), author="Bob", now=AT - timedelta(days=3_650))
    (gone,) = add(notes, tag("a", None))

    assert present(notes) == [("note", "", "two"), ("tag", "b", PRESENT), ("owner", "Team X", PRESENT)]
    history = list_annotations(notes.adapter.at(notes.schema), with_history=True)
    assert [(one.item, one.value) for one in history] == [
        ("", "two"), ("", "one"), ("a", None), ("a", PRESENT), ("b", PRESENT), ("Team X", PRESENT),
    ]  # fmt: skip
    assert second.edited_at == AT - timedelta(days=3_650)
    assert (second.replaces, gone.replaces) == (history[1].event_id, history[3].event_id)
    assert {history[1].replaces, history[3].replaces} == {""}
    assert notes.scalar("SELECT value FROM {s}.annotations WHERE field = 'note'") == "two"
    assert notes.scalar("SELECT COUNT(*) FROM {s}.annotations") == 3
    assert notes.scalar("SELECT COUNT(*) FROM {s}.annotation_events WHERE is_latest") == 4
    assert notes.scalar("SELECT COUNT(*) FROM {s}.annotation_events WHERE is_replaced") == 2
    assert notes.scalar("SELECT COUNT(*) FROM {s}.annotation_events WHERE has_conflict") == 0


def test_a_writer_continues_from_a_clock_that_is_a_little_ahead_and_not_from_a_wrong_one(notes: Any) -> None:
    add(notes, note("one"))
    (behind,) = add(notes, note("two"), now=AT - timedelta(minutes=30))
    assert (behind.edited_at, behind.counter) == (AT, 1)

    add(notes, note("three"), now=AT + timedelta(days=3_650))
    (right,) = add(notes, note("four"), now=AT + timedelta(minutes=1))
    assert (right.edited_at, right.counter) == (AT + timedelta(minutes=1), 0)
    assert present(notes) == [("note", "", "four")]
    assert notes.scalar("SELECT value FROM {s}.annotations") == "four"


def test_a_change_to_the_present_value_writes_nothing(notes: Any) -> None:
    assert add(notes) == ()
    assert len(add(notes, note("one"), note(" one\r\n"), note("two"), note("one"))) == 3
    assert add(notes, note("one"), tag("never", None)) == ()
    assert len(add(notes, note(None), note(None))) == 1
    assert present(notes) == []
    assert len(add(notes, note("one"))) == 1


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_passwords_and_unstorable_characters_are_replaced(notes: Any) -> None:
    (written,) = add(notes, note("postgresql://ann:S3cret@host/db \0\ud800"), author="password=S3cret")

    assert (written.value, written.author) == ("postgresql://ann:***@host/db \ufffd\ufffd", "password=***")
    assert list_annotations(notes.adapter.at(notes.schema)) == [written]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (note(" \n"), UsageError),
        (note("x" * (LONGEST_NOTE + 1)), UsageError),
        (tag("x" * (LONGEST_ITEM + 1)), UsageError),
        (tag(" "), UsageError),
        (tag("x", "maybe"), UsageError),
        (AnnotationChange(NODE, "note", "item", "text"), UsageError),
        (AnnotationChange(NODE, "colour", "red", PRESENT), UnknownNameError),
        (note("text", replace(NODE, unique_id="")), UsageError),
        (note("text", replace(NODE, parent_column="id")), UsageError),
    ],
)
def test_invalid_changes_are_refused_as_a_whole(notes: Any, change: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as refused:
        add(notes, note("fine"), change)
    assert getattr(refused.value, "hint", None)
    assert present(notes) == []


def test_an_author_is_required(notes: Any) -> None:
    for author in (" ", "x" * (LONGEST_ITEM + 1)):
        with pytest.raises(UsageError):
            add(notes, note("fine"), author=author)
    assert add(notes, note("x" * LONGEST_NOTE), tag("x" * LONGEST_ITEM), author="x" * LONGEST_ITEM)


def test_events_of_another_store_are_inserted_once(notes: Any) -> None:
    (mine,) = add(notes, note("mine"))
    theirs = with_id(replace(mine, value="theirs", writer_id="f" * 32, counter=1, event_id=""))
    earlier = with_id(replace(mine, value="earlier", wall_ms=mine.wall_ms - 1, event_id=""))
    for expected in ([theirs, earlier], []):
        with open_store(notes.adapter.at(notes.schema), writes=True) as store:
            assert insert_events(store, [mine, theirs, earlier, theirs]) == expected

    # None of the three knew of another.
    assert present(notes) == [("note", "", "theirs"), ("note", "", "mine"), ("note", "", "earlier")]
    history = list_annotations(notes.adapter.at(notes.schema), with_history=True)
    assert [str(event_states(history)[one.event_id]) for one in history] == ["present", *["conflict"] * 2]
    schema = notes.adapter.quote_identifier(notes.schema)
    marks = f"SELECT value, is_latest, is_replaced, has_conflict FROM {schema}.annotation_events"
    assert {row[0]: tuple(map(bool, row[1:])) for row in notes.adapter.execute(marks)[1]} == {
        "theirs": (True, False, True),
        "mine": (False, False, True),
        "earlier": (False, False, True),
    }
    [shown] = notes.adapter.execute(
        f"SELECT value, has_conflict FROM {notes.adapter.quote_identifier(notes.schema)}.annotations"
    )[1]
    assert (shown[0], bool(shown[1])) == ("theirs", True)
    [one] = annotations_of(list_annotations(notes.adapter.at(notes.schema)))
    assert (one.note, one.conflicts) == ("theirs", ("note",))

    (newer,) = add(notes, note("mine again"))
    assert newer.clock > theirs.clock
    assert present(notes) == [("note", "", "mine again")]
    assert set(str(newer.replaces).split(" ")) == {mine.event_id, theirs.event_id, earlier.event_id}
    assert notes.scalar("SELECT COUNT(*) FROM {s}.annotation_events WHERE has_conflict") == 0


def test_the_same_text_ends_a_conflict_and_equal_texts_are_none(notes: Any) -> None:
    (mine,) = add(notes, note("mine"), tag("pii"))[:1]
    theirs = [with_id(replace(mine, value=value, writer_id="f" * 32, counter=1)) for value in (None, "mine")]
    with open_store(notes.adapter.at(notes.schema), writes=True) as store:
        insert_events(store, theirs[1:])
    assert notes.scalar("SELECT COUNT(*) FROM {s}.annotation_events WHERE has_conflict") == 0
    assert add(notes, note("mine")) == ()

    with open_store(notes.adapter.at(notes.schema), writes=True) as store:
        insert_events(store, theirs[:1])
    [one] = annotations_of(list_annotations(notes.adapter.at(notes.schema)))
    assert one.conflicts == ("note",)
    assert len(add(notes, note("mine"))) == 1
    [one] = annotations_of(list_annotations(notes.adapter.at(notes.schema)))
    assert (one.note, one.conflicts) == ("mine", ())


def test_a_deletion_in_conflict_with_a_text_is_shown_with_the_text_in_the_conflict(notes: Any) -> None:
    (mine,) = add(notes, note("mine"))
    later = mine.wall_ms + 1
    theirs = with_id(replace(mine, value=None, writer_id="f" * 32, wall_ms=later))
    with open_store(notes.adapter.at(notes.schema), writes=True) as store:
        insert_events(store, [theirs])

    assert present(notes) == [("note", "", None), ("note", "", "mine")]
    [one] = annotations_of(list_annotations(notes.adapter.at(notes.schema)))
    assert (one.note, one.conflicts) == (None, ("note",))
    assert notes.scalar("SELECT COUNT(*) FROM {s}.annotations") == 0
    assert len(add(notes, note(None))) == 1
    assert present(notes) == []


@pytest.mark.extensive
def test_many_events_are_inserted_at_once(notes: Any) -> None:
    (one,) = add(notes, note("mine"))
    events = [with_id(replace(one, value=f"text {n}", counter=n)) for n in range(1, 1_101)]
    for expected in (1_100, 0):
        with open_store(notes.adapter.at(notes.schema), writes=True) as store:
            assert len(insert_events(store, [one, *events])) == expected

    assert [value for _, _, value in present(notes)][:2] == ["text 1100", "text 1099"]
    (last,) = add(notes, note("the end"))
    assert len(str(last.replaces).split(" ")) == MOST_REPLACED
    assert present(notes)[0] == ("note", "", "the end")
    (last,) = add(notes, note("the end"))
    assert present(notes) == [("note", "", "the end")]
    history = list_annotations(notes.adapter.at(notes.schema), with_history=True)
    assert [event_id_of(event) for event in history] == [event.event_id for event in history]
    assert len(history) == 1_103


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_concurrent_writers_lose_no_edit(notes: Any) -> None:
    def write(number: int) -> int:
        with notes.another() as adapter:
            changes = [note(f"text {number}"), tag(f"tag {number}")]
            return len(add_annotations(adapter.at(notes.schema), changes, author=f"{number}", now=AT))

    if notes.adapter.warehouse.is_in_process:
        notes.adapter.close()
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(write, range(8))) == [2] * 8

    history = list_annotations(notes.adapter.at(notes.schema), with_history=True)
    # Each writer saw the one before it, so that all clocks differ although the time is the same.
    assert sorted(one.counter for one in history if one.field == "note") == list(range(8))
    assert [item for field, item, _ in present(notes) if field == "tag"] == [f"tag {n}" for n in range(8)]


def test_annotations_of_the_nodes_of_a_run(store: Any, make_project: Any) -> None:
    run = record_run(store.adapter.at(store.schema), make_project("run-1", run_at=AT, size=4)).run
    gone = replace(NODE, unique_id="model.shop.m009")
    other = replace(NODE, project_name="other")
    add(store, *(note("text", target) for target in (NODE, COLUMN, EDGE, gone, other)))

    for with_history in (False, True):
        found = list_annotations(store.adapter.at(store.schema), run=run, with_history=with_history)
        assert {one.target for one in found} == {NODE, COLUMN, EDGE}


def test_annotations_stay_when_runs_are_pruned(store: Any, make_project: Any) -> None:
    record_run(store.adapter.at(store.schema), make_project("run-1", run_at=AT))
    add(store, note("stays"))
    prune(store.adapter.at(store.schema), Retention(keep_last=0))

    assert present(store) == [("note", "", "stays")]
