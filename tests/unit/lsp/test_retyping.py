"""Retyping of real models: no keystroke shows a source that the finished text does not have.

Characters in the middle of a model are deleted and typed again. Columns outside of them have to keep the
sources of the finished text, or have none. A text that is valid SQL as it is has the sources that it says: it
is compared with its own analysis without any earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import pytest

from recce_meta.lsp.text.file_texts import read_query
from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.query_text import QueryText, TextColumn, TextOrigin, TextQuality, moved
from recce_meta.lsp.text.template import read_template
from tests.unit.lsp.real_models import RealModel, real_models

pytestmark = pytest.mark.extensive

MODELS, STEP = 40, 5
Source = tuple[str, str]


class Keystroke(NamedTuple):
    """Text after one keystroke, with its query."""

    text: str
    cursor: int
    query: QueryText


def chosen() -> list[RealModel]:
    """Return some models with a SELECT, one of each name."""
    by_name: dict[str, RealModel] = {}
    for model in real_models():
        found = read_query(read_template(model.raw), model.dialect, {})
        if found.quality is TextQuality.STRICT and found.columns and len(model.raw) > 400:
            by_name.setdefault(model.unique_id, model)
    models = list(by_name.values())
    Random(21).shuffle(models)
    return models[:MODELS]


def retyped(model: RealModel, start: int, end: int) -> Iterator[Keystroke]:
    """Yield the texts while the characters from *start* to *end* are typed again; some are left out."""
    raw, tail = model.raw, model.raw[end:]
    found = read_query(read_template(raw), model.dialect, {})
    found = moved(found, start, end - start, 0)
    for cursor in range(start, end + 1):
        if cursor > start:
            found = moved(found, cursor - 1, 0, 1)
        if (cursor - start) % STEP and cursor < end:
            continue
        text = raw[:cursor] + tail
        found = read_query(read_template(text), model.dialect, {}, earlier=found, cursor=cursor)
        yield Keystroke(text, cursor, found)


def source(text: str, origin: TextOrigin) -> Source:
    """Return a source as the table or tag that is written, and the column."""
    table = origin.table
    if table is None:
        return "", origin.column.lower()
    call = table.call
    values = tuple((each.name, each.value) for each in call.arguments) if call is not None else ()
    written = text[slice(*table.span)].lower() if call is None else f"{call.name}{values}"
    return written, origin.column.lower()


def sources(text: str, column: TextColumn) -> set[Source]:
    return {source(text, origin) for origin in column.origins}


def outside(keystroke: Keystroke, start: int, end: int) -> Iterator[tuple[TextSpan, TextColumn]]:
    """Yield the columns that are not retyped, with their spans in the finished text."""
    missing = end - keystroke.cursor
    for column in keystroke.query.columns:
        if column.span.end < start:
            yield column.span, column
        elif column.span.start > keystroke.cursor:
            yield TextSpan(column.span.start + missing, column.span.end + missing), column


def test_no_keystroke_shows_a_wrong_source() -> None:
    random = Random(21)
    steps = with_outputs = shown = wanted = 0
    for model in chosen():
        start = random.randrange(len(model.raw) // 4, 3 * len(model.raw) // 4)
        end = min(len(model.raw), start + random.randrange(60, 101))
        full = read_query(read_template(model.raw), model.dialect, {})
        truth = {column.span: sources(model.raw, column) for column in full.columns}
        kept = [span for span in truth if truth[span] and (span.end < start or span.start > end)]
        for keystroke in retyped(model, start, end):
            steps, wanted = steps + 1, wanted + len(kept)
            with_outputs += bool(keystroke.query.outputs)
            alone = {column.span: sources(keystroke.text, column) for column in as_written(model, keystroke)}
            for span, column in outside(keystroke, start, end):
                found = sources(keystroke.text, column)
                is_right = found <= truth.get(span, set()) or found <= alone.get(column.span, set())
                assert is_right, (model.unique_id, keystroke.text[: keystroke.cursor][-80:], column)
                shown += bool(found) and span in truth
            assert not any(
                column.is_missing
                for column in keystroke.query.columns
                if keystroke.query.quality is not TextQuality.STRICT
            )
    print(
        f"{steps} keystrokes: {with_outputs / steps:.0%} with outputs, {shown / wanted:.0%} of sources shown"
    )
    assert with_outputs > 0.8 * steps
    assert shown > 0.8 * wanted


def as_written(model: RealModel, keystroke: Keystroke) -> tuple[TextColumn, ...]:
    """Return the columns of a text that is valid SQL; none for any other text."""
    if keystroke.query.quality is not TextQuality.STRICT:
        return ()
    return read_query(read_template(keystroke.text), model.dialect, {}).columns


def test_names_are_at_their_positions_after_each_keystroke() -> None:
    random = Random(7)
    for model in chosen()[:12]:
        start = random.randrange(len(model.raw) // 4, 3 * len(model.raw) // 4)
        for text, _, query in retyped(model, start, min(len(model.raw), start + 60)):
            for column in query.columns:
                assert text[slice(*column.span)].strip('"`[]') == column.name
            for output in query.outputs:
                if output.name and not output.is_star:
                    assert text[slice(*output.span)].strip('"`[]').lower() == output.name.lower()


def test_the_last_keystroke_has_the_query_of_the_finished_text() -> None:
    for model in chosen()[:12]:
        *_, last = retyped(model, len(model.raw) // 2, len(model.raw) // 2 + 40)
        found = read_query(read_template(model.raw), model.dialect, {})
        assert last.text == model.raw
        assert last.query.quality is TextQuality.STRICT
        assert [one.name for one in last.query.outputs] == [one.name for one in found.outputs]
