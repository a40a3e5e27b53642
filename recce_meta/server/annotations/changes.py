"""Changes of annotations that users send: from the form of a page, or as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from recce_meta.errors import UsageError
from recce_meta.models.marks.annotation import PRESENT, AnnotationField, AnnotationTarget
from recce_meta.store.marks.annotations import AnnotationChange

MOST_CHANGES = 100
"""Largest number of changes of one form."""
_NAME = "give a name in the field author, or send the request with a token of recce-meta token add"


def author_of(token_name: str | None, given: str) -> str:
    """Return the author of a change: the name of the token, else the name that the user gave.

    Raises UsageError without both.
    """
    author = token_name or " ".join(given.split())
    if not author:
        raise UsageError("The name of the author is missing", hint=_NAME)
    return author


def form_changes(target: AnnotationTarget, form: Mapping[str, str]) -> list[AnnotationChange]:
    """Return what the user of a form changed: what differs from the values that the page showed.

    Raises UsageError for too many changes.
    """
    found = [
        *_note_changes(target, _text(form.get("had_note", "")), _text(form.get("note", ""))),
        *_set_changes(target, AnnotationField.TAG, _lines(form, "had_tags"), _lines(form, "tags")),
        *_set_changes(target, AnnotationField.OWNER, _lines(form, "had_owners"), _lines(form, "owners")),
    ]
    if len(found) > MOST_CHANGES:
        raise UsageError(
            f"The form has {len(found):,} changes, more than {MOST_CHANGES}", hint="save them in parts"
        )
    return found


def _note_changes(target: AnnotationTarget, before: str, after: str) -> Iterator[AnnotationChange]:
    if before != after:
        yield AnnotationChange(target, AnnotationField.NOTE.value, "", after or None)


def _set_changes(
    target: AnnotationTarget, field: AnnotationField, before: Collection[str], after: Iterable[str]
) -> Iterator[AnnotationChange]:
    kept = dict.fromkeys(after)
    for item in kept:
        if item not in before:
            yield AnnotationChange(target, field.value, item, PRESENT)
    for item in before:
        if item not in kept:
            yield AnnotationChange(target, field.value, item, None)


def _text(given: str) -> str:
    # Browsers send every line break as CRLF.
    return given.replace("\r\n", "\n").replace("\r", "\n").strip()


def _lines(form: Mapping[str, str], name: str) -> list[str]:
    """Return the lines of a field, without blank ones and repetitions."""
    lines = (" ".join(line.split()) for line in _text(form.get(name, "")).split("\n"))
    return list(dict.fromkeys(filter(None, lines)))
