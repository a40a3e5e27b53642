"""Annotations as phrases, and in a Markdown comment: owners to ask, and notes on what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from recce_meta.errors import plural
from recce_meta.models.change import Change, Impact, RunDiff
from recce_meta.models.marks.annotation import (
    AnnotatedObjects,
    AnnotationEvent,
    AnnotationTarget,
    ObjectAnnotations,
)
from recce_meta.report.diff_details import FAILS, effect_label, is_classified
from recce_meta.report.labels import SEVERE, by_harm, conflict_phrases, moment, more_phrase, node_label
from recce_meta.report.terminal import code, prose, shorten

NOTE_SHOWN = 200
"""Characters of a note in a Markdown comment; pages and the store have all of it."""
NOTES_SHOWN = 30
OWNERS_SHOWN = 20
OWNERS_IN_TEXT = 5
NODES_OF_OWNER = 8
OWNER_WIDTH = 80
"""Rows and names in a Markdown comment."""


def annotated_ids(diff: RunDiff) -> list[str]:
    """Return the ids of the nodes of *diff* whose annotations reports show."""
    changed = [change.unique_id for change in diff.changed]
    return [*dict.fromkeys([*changed, *(impact.unique_id for impact in diff.impacted)])]


def annotation_phrase(found: ObjectAnnotations, width: int = NOTE_SHOWN) -> str:
    """Return `owners: Ann, Finance; tags: pii; The text of the note`; empty without annotations."""
    parts = [f"owners: {', '.join(found.owner_names)}"] if found.owners else []
    parts += [f"tags: {', '.join(found.tag_names)}"] if found.tags else []
    parts += [" ".join(found.note_text.split())] if found.note else []
    # First, because the end may be cut.
    return shorten("; ".join([*conflict_phrases(found.conflicts), *parts]), width)


def author_phrase(event: AnnotationEvent) -> str:
    """Return `Ann, 2026-11-01 12:00 UTC`, without an address such as `<ann@example.com>`.

    Git's names have one, and comments may be public.
    """
    name = event.author.partition(" <")[0].strip() or event.author
    return f"{name}, {moment(event.edited_at)}"


def object_phrase(target: AnnotationTarget) -> str:
    """Return what *target* is below its node: a column, or an edge; empty for the node.

    >>> object_phrase(AnnotationTarget(project_name="p", unique_id="model.p.b", column_name="id"))
    'id'
    >>> object_phrase(AnnotationTarget(project_name="p", unique_id="model.p.b", parent_id="model.p.a"))
    'from model.p.a'
    """
    if target.parent_id is None:
        return target.column_name or ""
    parent = f"from {target.parent_id}" + (f".{target.parent_column}" if target.parent_column else "")
    return f"{target.column_name} {parent}" if target.column_name else parent


def owner_sentences(diff: RunDiff, annotations: AnnotatedObjects | None) -> list[str]:
    """Return the owners of severe changes and affected nodes in one sentence; empty without owners.

    Without categories, every change counts as severe.
    """
    nodes: dict[str, list[str]] = {}
    for one, _ in _nodes_to_ask_about(diff) if annotations else ():
        for owner in annotations.of_node(one.unique_id).owner_names if annotations else ():
            nodes.setdefault(shorten(" ".join(owner.split()), OWNER_WIDTH), []).append(node_label(one))
    phrases = [
        f"{owner} ({', '.join(names[:3])}{f' {more_phrase(len(names) - 3)}' if names[3:] else ''})"
        for owner, names in islice(nodes.items(), OWNERS_IN_TEXT)
    ]
    phrases += [more_phrase(len(nodes) - len(phrases))] if len(nodes) > len(phrases) else []
    return [f"Owners: {', '.join(phrases)}"] if phrases else []


def annotations_markdown(diff: RunDiff, annotations: AnnotatedObjects | None, room: int) -> str:
    """Return the owners of severe changes and affected nodes, and the notes on changed nodes.

    Without categories, every change counts as severe.

    The text has at most *room* characters; it is empty without owners and notes. Names never notify anyone:
    see `prose`.
    """
    if not annotations:
        return ""
    owners = _owners(diff, annotations, room // 2)
    return owners + _notes(diff, annotations, room - len(owners))


def _owners(diff: RunDiff, annotations: AnnotatedObjects, room: int) -> str:
    owned: dict[str, list[str]] = {}
    for one, words in _nodes_to_ask_about(diff):
        for owner in annotations.of_node(one.unique_id).owner_names:
            owned.setdefault(owner, []).append(f"{code(node_label(one), OWNER_WIDTH)} ({words})")
    head = "\n**Owners of the changes and affected nodes**\n\n"
    lines = _fitting((_owner_line(*one) for one in owned.items()), OWNERS_SHOWN, room - len(head) - 60)
    hidden = len(owned) - len(lines)
    more = f"- {more_phrase(hidden)} owners\n" if hidden else ""
    return head + "".join(lines) + more if lines else ""


def _nodes_to_ask_about(diff: RunDiff) -> Iterator[tuple[Change | Impact, str]]:
    """Yield severe changes and affected nodes, each with what happens to it in words."""
    judged = is_classified(diff)
    for change in by_harm(diff.changed):
        if not judged or change.category in SEVERE:
            yield change, effect_label(change) or change.status.value
    for impact in sorted(diff.impacted, key=lambda one: (not one.fails, one.distance, one.unique_id)):
        yield impact, FAILS if impact.fails else "affected"


def _owner_line(owner: str, nodes: Sequence[str]) -> str:
    hidden = len(nodes) - NODES_OF_OWNER
    more = f" {more_phrase(hidden)}" if hidden > 0 else ""
    return f"- {prose(shorten(owner, OWNER_WIDTH))}: {', '.join(nodes[:NODES_OF_OWNER])}{more}\n"


def _notes(diff: RunDiff, annotations: AnnotatedObjects, room: int) -> str:
    names = {change.unique_id: node_label(change) for change in by_harm(diff.changed)}
    found = list(_noted(names, annotations))
    if not found:
        return ""
    rows = _fitting((_note_row(*one) for one in found), NOTES_SHOWN, room - 300)
    if not rows:
        return ""
    left_out = len(found) - len(rows)
    more = f"\n{plural(left_out, 'more note')} left out for length.\n" if left_out else ""
    table = "| node | note | by |\n|---|---|---|\n" + "".join(rows) + more
    counts = {
        "note": sum(one.note is not None for _, _, one in found),
        "conflict": sum(len(one.conflicts) for _, _, one in found),
    }
    summary = f"{', '.join(plural(count, noun) for noun, count in counts.items() if count)} on changed nodes"
    return f"\n<details><summary>{summary}</summary>\n\n{table}\n</details>\n"


def _noted(
    names: Mapping[str, str], annotations: AnnotatedObjects
) -> Iterator[tuple[str, AnnotationTarget, ObjectAnnotations]]:
    """Yield what has a note or a conflict: the nodes of *names*, and their columns and edges."""
    for unique_id, name in names.items():
        for target, found in annotations.below(unique_id):
            if found.note is not None or found.conflicts:
                yield name, target, found


def _note_row(name: str, target: AnnotationTarget, found: ObjectAnnotations) -> str:
    where = object_phrase(target)
    # The conflict stands first, because the end may be cut.
    note = "; ".join([*conflict_phrases(found.conflicts), *filter(None, [" ".join(found.note_text.split())])])
    place = code(name, 80) + (f" {code(where, 80)}" if where else "")
    author = author_phrase(found.note) if found.note is not None else ""
    return f"| {place} | {prose(shorten(note, NOTE_SHOWN))} | {prose(author)} |\n"


def _fitting(texts: Iterable[str], most: int, room: int) -> list[str]:
    """Return the first of *texts*, at most *most*, that together fit into *room* characters."""
    kept = []
    for text in islice(texts, most):
        room -= len(text)
        if room < 0:
            break
        kept.append(text)
    return kept
