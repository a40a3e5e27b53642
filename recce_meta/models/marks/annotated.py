"""Present annotations by object: the note, the tags and the owners of each node, column and edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from recce_meta.models.marks.annotation import (
    AnnotationEvent,
    AnnotationField,
    AnnotationTarget,
    annotations_of,
    current_annotations,
)


class ObjectAnnotations(Struct, frozen=True, kw_only=True):
    """Present annotations of one node, column or edge."""

    note: AnnotationEvent | None = None
    """Event with the text of the note; None without a note."""
    tags: tuple[AnnotationEvent, ...] = ()
    """Events of the tags, sorted by tag."""
    owners: tuple[AnnotationEvent, ...] = ()
    """Events of the owners, sorted by owner."""
    conflicts: tuple[str, ...] = ()
    """What was changed at the same time to another value: `note`, `tag pii`."""

    def __bool__(self) -> bool:
        return bool(self.note or self.tags or self.owners or self.conflicts)

    @property
    def note_text(self) -> str:
        """Text of the note; empty without a note."""
        return (self.note.value or "") if self.note is not None else ""

    @property
    def tag_names(self) -> tuple[str, ...]:
        """Tags, sorted."""
        return tuple(event.item for event in self.tags)

    @property
    def owner_names(self) -> tuple[str, ...]:
        """Owners, sorted."""
        return tuple(event.item for event in self.owners)


NOT_ANNOTATED = ObjectAnnotations()


class AnnotatedObjects:
    """Present annotations of any number of objects, which may be of several projects."""

    def __init__(self, events: Iterable[AnnotationEvent] = ()) -> None:
        """Group *events*, of which the unreplaced ones of each field and item count."""
        known = tuple(events)
        found: dict[AnnotationTarget, list[AnnotationEvent]] = {}
        for event in current_annotations(known):
            found.setdefault(event.target, []).append(event)
        self.by_target: Mapping[AnnotationTarget, ObjectAnnotations] = {
            one.target: _object(found.get(one.target, ()), one.conflicts) for one in annotations_of(known)
        }

    def __bool__(self) -> bool:
        return bool(self.by_target)

    @cached_property
    def _by_node(self) -> Mapping[str, list[tuple[AnnotationTarget, ObjectAnnotations]]]:
        found: dict[str, list[tuple[AnnotationTarget, ObjectAnnotations]]] = {}
        for target, one in self.by_target.items():
            found.setdefault(target.unique_id, []).append((target, one))
        return found

    def of_node(self, unique_id: str) -> ObjectAnnotations:
        """Return the annotations of a node, without those of its columns and edges."""
        own = self._by_node.get(unique_id, ())
        return next(
            (one for target, one in own if (target.column_name, target.parent_id) == (None, None)),
            NOT_ANNOTATED,
        )

    def of_columns(self, unique_id: str) -> dict[str, tuple[AnnotationTarget, ObjectAnnotations]]:
        """Return the annotated columns of a node by their names in lower case."""
        # Warehouses may change the case of names between runs.
        return {
            target.column_name.casefold(): (target, one)
            for target, one in self._by_node.get(unique_id, ())
            if target.column_name is not None and target.parent_id is None
        }

    def below(self, unique_id: str) -> Sequence[tuple[AnnotationTarget, ObjectAnnotations]]:
        """Return what is annotated of a node: the node, its columns, and the edges that lead to it."""
        return self._by_node.get(unique_id, ())

    def of_edges(self, unique_id: str) -> Iterator[tuple[AnnotationTarget, ObjectAnnotations]]:
        """Yield the edges to a node and to its columns with their annotations."""
        yield from (
            (target, one) for target, one in self._by_node.get(unique_id, ()) if target.parent_id is not None
        )

    def of_edge(self, parent_id: str, unique_id: str) -> ObjectAnnotations:
        """Return the annotations of the edge between two nodes, without those between their columns."""
        wanted = (parent_id, None, None)
        return next(
            (
                one
                for target, one in self.of_edges(unique_id)
                if (target.parent_id, target.column_name, target.parent_column) == wanted
            ),
            NOT_ANNOTATED,
        )


def _object(events: Iterable[AnnotationEvent], conflicts: tuple[str, ...]) -> ObjectAnnotations:
    by_field: dict[str, list[AnnotationEvent]] = {}
    for event in events:
        by_field.setdefault(event.field, []).append(event)
    return ObjectAnnotations(
        note=next(iter(by_field.get(AnnotationField.NOTE.value, ())), None),
        tags=tuple(by_field.get(AnnotationField.TAG.value, ())),
        owners=tuple(by_field.get(AnnotationField.OWNER.value, ())),
        conflicts=conflicts,
    )


NO_ANNOTATIONS = AnnotatedObjects()
