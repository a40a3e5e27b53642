"""What users expect of figures in their file of metrics, held against a measurement.

What could not be seen does not hold; but of a table without rows there is nothing to see, which is noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from msgspec.structs import replace

from recce_meta.diff.data.quality_score import scored
from recce_meta.diff.quality_change import Subject
from recce_meta.diff.quality_figures import column_of, figure_of, holds
from recce_meta.diff.quality_verdict import Verdict, Violation, figure_text, plain
from recce_meta.diff.sentences import cell
from recce_meta.errors import did_you_mean
from recce_meta.models.data_diff import Value
from recce_meta.models.quality import ColumnQuality, MetricResult, TableQuality
from recce_meta.models.quality_rules import ColumnRules, Condition, CustomMetric, TableRules

GLOB = frozenset("*?[")
SCORE = "score"
VALUES = frozenset(["min", "max", "mean", "median", "true_count"])
"""Figures that are not asked for of a private column."""
NO_ROWS = "there are no rows to look at"


@dataclass
class _Judged:
    """What is gathered while the rules of a table are held against it."""

    label: str
    table: TableQuality
    violations: list[Violation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def with_expectations(
    table: TableQuality, rules: Sequence[TableRules], label: str
) -> tuple[TableQuality, Verdict]:
    """*table* with what is expected: thresholds of metrics, and of figures as metrics of their names.

    Its scores follow from those; what is expected of a score is held against it afterwards, and is no part
    of it.
    """
    judged = _Judged(label, table)
    if table.reason is not None:
        if any(map(_expects, rules)):
            judged.violations.append(_not_measured(table, label))
        return table, Verdict(tuple(judged.violations))
    for rule in rules:
        metrics = _of_custom(judged, list(judged.table.metrics), rule.metrics, None)
        judged.table = replace(judged.table, metrics=tuple(metrics))
        _of_figures(judged, rule, is_score=False)
        for column in rule.columns:
            _in_columns(judged, column)
    judged.table = scored(judged.table)
    for rule in rules:
        _of_figures(judged, rule, is_score=True)
        for column in rule.columns:
            _of_column_figures(judged, column, is_score=True)
    return judged.table, Verdict(tuple(judged.violations), tuple(dict.fromkeys(judged.notes)))


def _of_figures(judged: _Judged, rule: TableRules, *, is_score: bool) -> None:
    table = judged.table
    found = [
        _of_figure(judged, table, None, one.figure, one.condition)
        for one in rule.expectations
        if (one.figure == SCORE) is is_score
    ]
    judged.table = replace(table, metrics=(*table.metrics, *found))


def _of_column_figures(judged: _Judged, rule: ColumnRules, *, is_score: bool) -> None:
    for column in columns_named(judged.table, rule.name):
        found = [
            _of_figure(judged, column, column, one.figure, one.condition)
            for one in rule.expectations
            if (one.figure == SCORE) is is_score
        ]
        _put(judged, replace(column, metrics=(*column.metrics, *found)))


def _put(judged: _Judged, changed: ColumnQuality) -> None:
    columns = tuple(changed if one.name == changed.name else one for one in judged.table.columns)
    judged.table = replace(judged.table, columns=columns)


def _expects(rule: TableRules) -> bool:
    holders: list[TableRules | ColumnRules] = [rule, *rule.columns]
    return any(one.expectations or any(metric.condition for metric in one.metrics) for one in holders)


def _not_measured(table: TableQuality, label: str) -> Violation:
    return Violation(
        unique_id=table.unique_id,
        figure="reason",
        condition="is measured",
        message=f"{label}: could not be measured: {table.reason}",
        is_expectation=True,
    )


def columns_named(table: TableQuality, name: str) -> list[ColumnQuality]:
    """The columns that *name* of the file means: one of that name, else those that fit it as a glob."""
    exact = column_of(table, name)
    if exact is not None:
        return [exact]
    return [column for column in table.columns if GLOB.intersection(name) and fnmatchcase(column.name, name)]


def _in_columns(judged: _Judged, rule: ColumnRules) -> None:
    named = columns_named(judged.table, rule.name)
    if not named:
        hint = did_you_mean(rule.name, [column.name for column in judged.table.columns])
        message = f"{judged.label}: no column '{rule.name}' is there" + (f"; {hint}" if hint else "")
        if rule.expectations or rule.metrics:
            judged.violations.append(
                Violation(
                    unique_id=judged.table.unique_id,
                    column=rule.name,
                    figure="name",
                    condition="is there",
                    message=message,
                    is_expectation=True,
                )
            )
        else:
            judged.notes.append(message)
    for column in named:
        metrics = _of_custom(judged, list(column.metrics), rule.metrics, column)
        _put(judged, replace(column, metrics=tuple(metrics)))
    _of_column_figures(judged, rule, is_score=False)


def _of_custom(
    judged: _Judged,
    measured: list[MetricResult],
    wanted: Iterable[CustomMetric],
    column: ColumnQuality | None,
) -> list[MetricResult]:
    """*measured*, with the verdict on each that something is expected of."""
    found = {metric.name: at for at, metric in enumerate(measured)}
    for metric in wanted:
        if metric.condition is None:
            continue
        at = found.get(metric.name)
        result = MetricResult(name=metric.name, reason="was not measured") if at is None else measured[at]
        result = _judge(judged, result, metric.condition, column)
        if at is None:
            measured.append(result)
        else:
            measured[at] = result
    return measured


def _of_figure(
    judged: _Judged, subject: Subject, column: ColumnQuality | None, figure: str, condition: Condition
) -> MetricResult:
    value = figure_of(subject, figure)
    reason = None
    if value is None:
        is_private = column is not None and column.is_private and figure in VALUES
        reason = (column.reason if column else None) or ("its values are withheld" if is_private else None)
    return _judge(judged, MetricResult(name=figure, value=value, reason=reason), condition, column)


def _judge(
    judged: _Judged, result: MetricResult, condition: Condition, column: ColumnQuality | None
) -> MetricResult:
    """*result* with its threshold, and whether that holds; what does not is gathered.

    Where it was judged when it was measured, so it stays: its value may be withheld since.
    """
    value, name, reason = result.value, result.name, result.reason
    is_judged = result.threshold is not None and result.holds is not None
    verdict = result.holds if is_judged else None if reason else holds(condition, value)
    table = judged.table
    rows = table.row_count if table.sampled_rows is None else table.sampled_rows
    if verdict is None and reason is None:
        reason = "is NULL" if value is None else f"is {cell(value)}, which cannot be compared"
        if value is None and not rows:
            judged.notes.append(f"{judged.label} has no rows: {name} was not looked at")
            return _with(result, condition, None, NO_ROWS)
    if not verdict:
        place = judged.label if column is None else f"{judged.label}.{column.name}"
        judged.violations.append(
            Violation(
                unique_id=table.unique_id,
                column=None if column is None else column.name,
                figure=name,
                condition=condition.text,
                value=plain(value),
                message=f"{place}: {name} {_said(name, value, reason, verdict, condition.text)}",
                is_expectation=True,
            )
        )
    return _with(result, condition, verdict, reason)


def _said(figure: str, value: Value, reason: str | None, verdict: bool | None, expected: str) -> str:
    """What a figure is, or why nobody knows, and what is *expected* of it."""
    if reason is not None and verdict is not None:  # it was judged, and then withheld
        return f"does not meet {expected}: {reason}"
    said = reason or f"is {figure_text(figure, value)}"
    return f"{said if said.startswith('is ') else f'could not be measured: {said}'}, expected {expected}"


def _with(
    result: MetricResult, condition: Condition, verdict: bool | None, reason: str | None
) -> MetricResult:
    return replace(result, value=plain(result.value), threshold=condition.text, holds=verdict, reason=reason)


def kept_verdict(table: TableQuality, label: str) -> Verdict:
    """What was found of *table* when it was measured: the kept thresholds that did not hold."""
    subjects: list[tuple[str | None, tuple[MetricResult, ...]]] = [(None, table.metrics)]
    subjects += [(column.name, column.metrics) for column in table.columns]
    found = []
    for column, metrics in subjects:
        place = label if column is None else f"{label}.{column}"
        for metric in metrics:
            if metric.threshold is None or metric.holds or metric.reason == NO_ROWS:
                continue
            said = _said(metric.name, metric.value, metric.reason, metric.holds, metric.threshold)
            found.append(
                Violation(
                    unique_id=table.unique_id,
                    column=column,
                    figure=metric.name,
                    condition=metric.threshold,
                    value=metric.value,
                    message=f"{place}: {metric.name} {said}",
                    is_expectation=True,
                )
            )
    return Verdict(tuple(found))
