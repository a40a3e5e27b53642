"""The conditions of `--fail-on`, held against a measurement and what changed since an earlier one.

A condition that found nothing to look at says so: nobody may take it for one that passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from recce_meta.diff.quality_change import (
    OF_SAMPLE,
    Earlier,
    Subject,
    TableChange,
    earlier_figure,
    looked_at,
)
from recce_meta.diff.quality_figures import change_holds, column_of, figure_of, holds
from recce_meta.diff.quality_verdict import Verdict, Violation, figure_text, plain
from recce_meta.diff.sentences import count_of
from recce_meta.errors import SelectorError, did_you_mean
from recce_meta.models.data_diff import Value
from recce_meta.models.quality import ColumnQuality, Quality, TableQuality
from recce_meta.models.quality_conditions import COLUMN_FIGURES, REGRESSION, TABLE_FIGURES
from recce_meta.models.quality_rules import Condition, FailOn

ORDER_ALONE = "of moments and texts, +0 is all that can be asked"


class FailOnConditions:
    """Holds the conditions of `--fail-on` against a measurement and what changed."""

    def __init__(
        self,
        quality: Quality,
        labels: Mapping[str, str],
        earlier: Mapping[str, Earlier],
        changes: Iterable[TableChange],
    ) -> None:
        self._run, self._tables = quality.run, quality.tables
        self._labels, self._earlier = labels, earlier
        self._changes = {change.unique_id: change for change in changes}

    def verdict(self, conditions: Iterable[FailOn]) -> Verdict:
        """What of the measurement meets one of *conditions*, each of which is a failure."""
        violations: list[Violation] = []
        notes: list[str] = []
        for condition in conditions:
            if condition.condition is None:
                found, said = self._regressions(condition)
            else:
                found, said = self._figures(condition, condition.condition)
            violations += found
            notes += said
        return Verdict(tuple(violations), tuple(notes))

    def _subjects(self, named: str | None) -> list[tuple[TableQuality, ColumnQuality | None]]:
        """The tables and columns that *named* means; a table stands for its columns as well."""
        found: list[tuple[TableQuality, ColumnQuality | None]] = []
        for table in self._tables:
            names = names_of(table, self._labels[table.unique_id])
            is_whole = named is None or _fits(names, named)
            if is_whole:
                found.append((table, None))
            for column in table.columns:
                if is_whole or _fits([f"{name}.{column.name}" for name in names], str(named)):
                    found.append((table, column))
        return found

    def _figures(self, fail_on: FailOn, condition: Condition) -> tuple[list[Violation], list[str]]:
        subjects = self._subjects(fail_on.subject)
        if not subjects:
            return self._no_subject(fail_on)
        judge = self._change if condition.is_change else self._value
        found: list[Violation] = []
        seen = unseen = new = 0
        is_ordered = False
        for table, column in subjects:
            subject: Subject = table if column is None else column
            try:
                value = figure_of(subject, fail_on.figure)
            except (KeyError, AttributeError):
                continue
            before = (
                self._before(table, column, fail_on.figure, any_sample=True) if condition.is_change else None
            )
            if value is None and before is None and table.reason is None:
                continue  # a figure that makes no sense for the column
            verdict, violation = judge(fail_on, condition, table, column, value)
            seen += verdict is not None
            is_new = verdict is None and condition.is_change and before is None
            new += is_new
            is_ordered |= verdict is None and value is not None and not is_new
            unseen += verdict is None and not is_new
            found += [violation] if verdict else []
        is_of_tables = fail_on.figure in TABLE_FIGURES and fail_on.figure not in COLUMN_FIGURES
        if is_of_tables and all(column is not None for _, column in subjects):
            said = f"'{fail_on.subject}' is a column, and {fail_on.figure} is of tables"
            return [_of_nothing(fail_on, said)], []
        if not (seen or new) and any(table.reason is None and table.row_count for table, _ in subjects):
            if not unseen:
                return [_of_nothing(fail_on, f"no {fail_on.figure} was measured")], []
            if not condition.is_change:
                said = f"{count_of(unseen, 'figure')} could not be compared, and no other was measured"
                return [_of_nothing(fail_on, said)], []
        return found, _unseen(
            fail_on, seen, unseen, new, ORDER_ALONE if is_ordered and condition.is_change else ""
        )

    def _value(
        self,
        fail_on: FailOn,
        condition: Condition,
        table: TableQuality,
        column: ColumnQuality | None,
        value: Value,
    ) -> tuple[bool | None, Violation]:
        said = f"is {figure_text(fail_on.figure, value)}"
        return holds(condition, value), self._violation(fail_on, table, column, said, value)

    def _change(
        self,
        fail_on: FailOn,
        condition: Condition,
        table: TableQuality,
        column: ColumnQuality | None,
        value: Value,
    ) -> tuple[bool | None, Violation]:
        before = self._before(table, column, fail_on.figure)
        verdict = change_holds(condition, fail_on.figure, before, value)
        said = f"went from {figure_text(fail_on.figure, before)} to {figure_text(fail_on.figure, value)}"
        return verdict, self._violation(fail_on, table, column, said, value, before)

    def _before(
        self, table: TableQuality, column: ColumnQuality | None, figure: str, *, any_sample: bool = False
    ) -> Value:
        """What *figure* was; None where nobody knows, or what it follows from was another number of rows."""
        known = self._earlier.get(table.unique_id)
        if known is None:
            return None
        if not any_sample and figure in OF_SAMPLE and known.sample != looked_at(self._run, table):
            return None
        if column is None:
            return earlier_figure(known.table, figure)
        same = column_of(known.table, column.name)
        return None if same is None else earlier_figure(same, figure)

    def _violation(
        self,
        fail_on: FailOn,
        table: TableQuality,
        column: ColumnQuality | None,
        said: str,
        value: Value = None,
        base: Value = None,
    ) -> Violation:
        label = self._labels[table.unique_id]
        place = label if column is None else f"{label}.{column.name}"
        figure = "" if fail_on.figure == REGRESSION else f"{fail_on.figure} "
        return Violation(
            unique_id=table.unique_id,
            column=None if column is None else column.name,
            figure=fail_on.figure,
            condition=fail_on.text,
            value=plain(value),
            base=plain(base),
            message=f"{place}: {figure}{said} (--fail-on {fail_on.text})",
        )

    def _regressions(self, fail_on: FailOn) -> tuple[list[Violation], list[str]]:
        subjects = self._subjects(fail_on.subject)
        if not subjects:
            return self._no_subject(fail_on)
        wanted = {(table.unique_id, column and column.name) for table, column in subjects}
        tables = {table.unique_id: table for table, _ in subjects}
        found: list[Violation] = []
        for unique_id, table in tables.items():
            change = self._changes.get(unique_id)
            if change is None:
                continue
            for one in change.columns:
                is_removed = one.status == "removed" and (unique_id, None) in wanted
                if is_removed or (unique_id, one.name) in wanted:
                    column = column_of(table, one.name) or ColumnQuality(name=one.name)
                    found += [self._violation(fail_on, table, column, said) for said in one.regressions]
            if (unique_id, None) in wanted:
                found += [self._violation(fail_on, table, None, said) for said in change.regressions]
        compared = sum(unique_id in self._changes for unique_id in tables)
        if compared < len(tables):
            return found, [_nothing_before(fail_on, len(tables) - compared, "table", compared)]
        return found, []

    def _no_subject(self, fail_on: FailOn) -> tuple[list[Violation], list[str]]:
        known = [
            name
            for table in self._tables
            for name in (
                self._labels[table.unique_id],
                *(f"{self._labels[table.unique_id]}.{column.name}" for column in table.columns),
            )
        ]
        hint = did_you_mean(fail_on.subject or "", known)
        said = f"'{fail_on.subject}' names nothing that was measured" + (f"; {hint}" if hint else "")
        return [_of_nothing(fail_on, said)], []


def _of_nothing(fail_on: FailOn, said: str) -> Violation:
    return Violation(
        unique_id=None,
        figure=fail_on.figure,
        condition=fail_on.text,
        message=f"{said} (--fail-on {fail_on.text})",
    )


def _unseen(fail_on: FailOn, seen: int, unseen: int, new: int, why: str) -> list[str]:
    """The notes on what a condition could not be held against: *unseen* figures, and *new* ones."""
    notes = []
    if new:
        notes.append(_nothing_before(fail_on, new, "figure", seen + unseen))
    if unseen:
        told = f"--fail-on {fail_on.text}: {count_of(unseen, 'figure')} could not be compared"
        notes.append(f"{told}; {why}" if why else told)
    if not (seen or notes):
        notes.append(f"--fail-on {fail_on.text} looked at nothing: no {fail_on.figure} was measured")
    return notes


def _nothing_before(fail_on: FailOn, unseen: int, what: str, seen: int) -> str:
    if not seen:
        return f"--fail-on {fail_on.text} looked at nothing: there is no earlier measurement to compare with"
    return (
        f"--fail-on {fail_on.text}: {count_of(unseen, what)} of {seen + unseen:,} without an earlier one "
        "to compare with"
    )


def names_of(table: TableQuality, label: str) -> list[str]:
    """What a table may be called: its label, its name, its unique id, that without the type, or its end."""
    unique_id = table.unique_id
    names = [label, table.name, unique_id, unique_id.partition(".")[2], unique_id.rpartition(".")[2]]
    return list(dict.fromkeys(names))


def named_tables(tables: Sequence[TableQuality], names: Iterable[str]) -> tuple[TableQuality, ...]:
    """Those of *tables* that *names* mean. Raises SelectorError for a name of none."""
    labels = {table.unique_id: names_of(table, table.name) for table in tables}
    found: dict[str, TableQuality] = {}
    for name in names:
        meant = {table.unique_id: table for table in tables if _fits(labels[table.unique_id], name)}
        if not meant:
            known = sorted({one for several in labels.values() for one in several})
            raise SelectorError(f"No table '{name}' was measured", hint=did_you_mean(name, known))
        found |= meant
    return tuple(table for table in tables if table.unique_id in found)


def _fits(names: Iterable[str], named: str) -> bool:
    return any(name == named or fnmatchcase(name.casefold(), named.casefold()) for name in names)
