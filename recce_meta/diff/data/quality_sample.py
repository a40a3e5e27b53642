"""Which rows of a relation are looked at: all, or a sample that every statement takes again.

A table is sampled by its warehouse's own means (`Dialect.sampled_rows`). Where there are none, and of views,
whose rows come in no order, a hash of each row decides: of its key where one is known, else of its columns
(the first hundred), so that rows that are equal are all in the sample, or none of them. A number of rows is a
share of those that were counted: each row has the same chance, and about as many are taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp

from recce_meta.dialects import Sql
from recce_meta.diff.data.failures import OF_ALL, failure
from recce_meta.diff.data.plan import Answer, Plan, Query, rows_of
from recce_meta.diff.data.source import LiveColumn, Source, described, describing
from recce_meta.errors import UsageError, WarehouseError
from recce_meta.models.quality import Sample

LARGEST_SEED = 2**31 - 1
"""Of those that every warehouse takes."""
ABOUT = "Each row had a chance of {percent:.4g} % to be looked at: about {rows} of {row_count}"
BY_HASH = "Rows were chosen by a hash of {what}"
EQUAL_ROWS = "{columns}: of rows that are equal there, all are in the sample or none"
MOST_HASHED = 100
"""Columns whose values decide, where no key is known: not every warehouse bears deeper expressions."""
NO_SEED = (
    "{dialect} samples without a seed: statements look at different rows, and so does the next measurement"
)


class Rows(Struct, frozen=True, kw_only=True):
    """The rows that are looked at."""

    source: Source
    columns: tuple[LiveColumn, ...]
    """Of the relation."""
    row_count: int | None = None
    """All rows; None where they are counted by whoever looks at them."""
    notes: tuple[str, ...] = ()
    is_sample: bool = False
    """Whether they are some of these alone."""
    error: WarehouseError | None = None
    """Why they could not be counted, which may quote values."""


def check_sample(sample: Sample) -> None:
    """Raise UsageError for a sample that cannot be taken."""
    if (sample.percent is None) == (sample.rows is None):
        raise UsageError("A sample is either of rows or of per cent", hint="such as 10000, or 10%")
    if sample.percent is not None and not 0 < sample.percent <= 100:
        raise UsageError(f"A sample of {sample.percent:g} % cannot be taken", hint="above 0, up to 100")
    if sample.rows is not None and sample.rows < 1:
        raise UsageError(f"A sample of {sample.rows} rows cannot be taken", hint="1 or more")
    if not 0 <= sample.seed <= LARGEST_SEED:
        raise UsageError(f"The seed {sample.seed} is out of range", hint=f"0 to {LARGEST_SEED}")


def looked_at(source: Source, sample: Sample | None, *, is_view: bool, key: Sequence[str]) -> Plan[Rows]:
    """The rows of *source* that *sample* takes, or all, and its columns.

    *key* names columns that identify a row, where any are known. Raises what describing the relation raises,
    which quotes no value, and UsageError where the dialect has no way to take a sample.
    """
    if sample is None:
        (answer,) = yield [describing(source)]
        if columns := described(source, answer):
            return Rows(source=source, columns=columns)
        (answer,) = yield [counting(source)]  # PostgreSQL has tables without any column
        return _counted(source, (), answer)
    own = None if is_view else _sampled(source, sample.percent or 1.0, sample.seed)
    answers = yield [describing(source), counting(source, sample), *([describing(own)] if own else [])]
    columns = described(source, answers[0])
    rows = _counted(source, columns, answers[1])
    row_count = rows.row_count or 0
    percent = sample.percent or (100 * (sample.rows or 0) / row_count if row_count else 100.0)
    if percent >= 100 or not row_count or not columns:
        return rows
    notes = []
    if sample.rows is not None:
        notes.append(ABOUT.format(percent=percent, rows=sample.rows, row_count=row_count))
    # A view that nobody has told of is refused by its description already.
    if own is not None and failure(answers[2], OF_ALL) is None:
        own = _sampled(source, percent, sample.seed)
        if not source.dialect.samples_by_seed:
            notes.append(NO_SEED.format(dialect=source.dialect.name))
    else:
        own, note = _hashed(source, columns, key, percent, sample.seed)
        notes.append(note)
    return replace(rows, source=own or source, notes=tuple(notes), is_sample=True)


def _counted(source: Source, columns: tuple[LiveColumn, ...], answer: Answer) -> Rows:
    """All rows of *source*, as *answer* has counted them."""
    error = failure(answer, OF_ALL)
    if error is not None:
        return Rows(source=source, columns=columns, error=error)
    return Rows(source=source, columns=columns, row_count=int(rows_of(answer)[0][0]))


def counting(source: Source, sample: Sample | None = None) -> Query:
    """How many rows *source* has; what is printed assumes ten times as many as *sample* takes."""
    return Query(
        expression=source.select(exp.alias_(exp.Count(this=exp.Star()), "row_count")),
        dialect=source.dialect,
        side=source.side,
        about=f"rows of {source.name}",
        assumed=[((sample.rows or 1) * 10 if sample is not None else 0,)],
    )


def _sampled(source: Source, percent: float, seed: int) -> Source | None:
    relation = source.dialect.sampled_rows(source.relation, percent, seed)
    return None if relation is None else replace(source, relation=relation, text="")


def _hashed(
    source: Source, columns: Sequence[LiveColumn], key: Sequence[str], percent: float, seed: int
) -> tuple[Source, str]:
    """The rows whose hash is among *percent* of all, and what a reader has to know of that."""
    dialect = source.dialect
    wanted = {dialect.fold(name) for name in key}
    chosen = [column for column in columns if dialect.fold(column.name) in wanted]
    has_key = bool(wanted) and len(chosen) == len(wanted)
    chosen = chosen if has_key else list(columns[:MOST_HASHED])
    values: list[Sql] = [exp.Literal.number(seed)]
    values += [
        dialect.hashable(dialect.comparable(column.of("t"), column.type), column.type) for column in chosen
    ]
    relation = dialect.rows_where(source.relation, dialect.sampled(values, percent))
    some = "all their columns" if len(chosen) == len(columns) else f"their first {MOST_HASHED} columns"
    what = "their key" if has_key else EQUAL_ROWS.format(columns=some)
    return replace(source, relation=relation, text=""), BY_HASH.format(what=what)
