"""Conditions on a measurement: those of `--fail-on`, and the expectations of a metrics file.

A condition of `--fail-on` describes what must not be, on a figure or on its change since an earlier
measurement. One that could not be checked is reported in a note, so that it is not mistaken for one that
passed. An expectation describes what must be. A missing figure does not meet it, but if the table has no
rows, a note reports that instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from msgspec.structs import replace

from recce_meta.checks.messages import cell
from recce_meta.errors import SelectorError, did_you_mean, plural
from recce_meta.models.data_diff import Value
from recce_meta.models.quality import (
    COLUMN_FIGURES,
    REGRESSION,
    TABLE_FIGURES,
    ColumnQuality,
    ColumnRules,
    Condition,
    CustomMetric,
    FailOn,
    MetricResult,
    Quality,
    TableQuality,
    TableRules,
)
from recce_meta.quality.compare import (
    OF_SAMPLE,
    EarlierQuality,
    Subject,
    TableChange,
    earlier_figure,
    measured_sample,
)
from recce_meta.quality.figures import (
    QualityVerdict,
    Violation,
    change_holds,
    column_of,
    figure_of,
    figure_text,
    holds,
    plain_value,
)
from recce_meta.quality.measure import with_scores

ORDER_ALONE = "for dates and strings only +0 can be used"
GLOB = frozenset("*?[")
SCORE = "score"
VALUES = frozenset(["min", "max", "mean", "median", "true_count"])
"""Figures that are not collected for a private column."""
NO_ROWS = "the table has no rows"


class FailOnConditions:
    """Checker of `--fail-on` conditions for one measurement and its changes."""

    def __init__(
        self,
        quality: Quality,
        labels: Mapping[str, str],
        earlier: Mapping[str, EarlierQuality],
        changes: Iterable[TableChange],
    ) -> None:
        self._run, self._tables = quality.run, quality.tables
        self._labels, self._earlier = labels, earlier
        self._changes = {change.unique_id: change for change in changes}

    def verdict(self, conditions: Iterable[FailOn]) -> QualityVerdict:
        """Return a violation for each figure that meets one of *conditions*."""
        violations: list[Violation] = []
        notes: list[str] = []
        for condition in conditions:
            if condition.condition is None:
                met, unchecked = self._regressions(condition)
            else:
                met, unchecked = self._figures(condition, condition.condition)
            violations += met
            notes += unchecked
        return QualityVerdict(tuple(violations), tuple(notes))

    def _subjects(self, named: str | None) -> list[tuple[TableQuality, ColumnQuality | None]]:
        """Return the tables and columns that *named* matches; a table includes its columns."""
        subjects: list[tuple[TableQuality, ColumnQuality | None]] = []
        for table in self._tables:
            names = names_of(table, self._labels[table.unique_id])
            is_whole = named is None or _fits(names, named)
            if is_whole:
                subjects.append((table, None))
            for column in table.columns:
                if is_whole or _fits([f"{name}.{column.name}" for name in names], str(named)):
                    subjects.append((table, column))
        return subjects

    def _figures(self, fail_on: FailOn, condition: Condition) -> tuple[list[Violation], list[str]]:
        subjects = self._subjects(fail_on.subject)
        if not subjects:
            return self._no_subject(fail_on)
        violations: list[Violation] = []
        seen = unseen = new = 0
        is_ordered = False
        for table, column in subjects:
            try:
                value = figure_of(table if column is None else column, fail_on.figure)
            # Not every table and column has a metric of this name.
            except (KeyError, AttributeError):
                continue
            before = (
                # Whether there was a figure at all does not depend on the size of the sample.
                self._before(table, column, fail_on.figure, any_sample=True) if condition.is_change else None
            )
            if value is None and before is None and table.reason is None:
                continue  # the figure does not apply to the column
            is_met, sentence, base = self._judge(fail_on, condition, table, column, value)
            seen += is_met is not None
            # A new column has no earlier figure, which differs from a figure that cannot be compared.
            is_new = is_met is None and condition.is_change and before is None
            new += is_new
            is_ordered |= is_met is None and value is not None and not is_new
            unseen += is_met is None and not is_new
            if is_met:
                violations.append(self._violation(fail_on, table, column, sentence, value, base))
        is_of_tables = fail_on.figure in TABLE_FIGURES and fail_on.figure not in COLUMN_FIGURES
        if is_of_tables and all(column is not None for _, column in subjects):
            sentence = f"'{fail_on.subject}' is a column, but {fail_on.figure} is a figure of tables"
            return [_of_nothing(fail_on, sentence)], []
        if not (seen or new) and any(table.reason is None and table.row_count for table, _ in subjects):
            if not unseen:
                return [_of_nothing(fail_on, f"no {fail_on.figure} was measured")], []
            if not condition.is_change:
                sentence = f"{plural(unseen, 'figure')} could not be compared, and no other was measured"
                return [_of_nothing(fail_on, sentence)], []
        why = ORDER_ALONE if is_ordered and condition.is_change else ""
        return violations, _unseen(fail_on, seen, unseen, new, why)

    def _judge(
        self,
        fail_on: FailOn,
        condition: Condition,
        table: TableQuality,
        column: ColumnQuality | None,
        value: Value,
    ) -> tuple[bool | None, str, Value]:
        """Return whether *value* meets *condition*, None if unknown; what it is, and the earlier value."""
        text = figure_text(fail_on.figure, value)
        if not condition.is_change:
            return holds(condition, value), f"is {text}", None
        before = self._before(table, column, fail_on.figure)
        is_met = change_holds(condition, fail_on.figure, before, value)
        return is_met, f"went from {figure_text(fail_on.figure, before)} to {text}", before

    def _before(
        self, table: TableQuality, column: ColumnQuality | None, figure: str, *, any_sample: bool = False
    ) -> Value:
        """Return the earlier *figure*; None if it is unknown or depends on a sample of a different size."""
        known = self._earlier.get(table.unique_id)
        if known is None:
            return None
        if not any_sample and figure in OF_SAMPLE and known.sample != measured_sample(self._run, table):
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
        sentence: str,
        value: Value = None,
        base: Value = None,
    ) -> Violation:
        label = self._labels[table.unique_id]
        figure = "" if fail_on.figure == REGRESSION else f"{fail_on.figure} "
        return Violation(
            unique_id=table.unique_id,
            column=None if column is None else column.name,
            figure=fail_on.figure,
            condition=fail_on.text,
            value=plain_value(value),
            base=plain_value(base),
            message=f"{_label_of(label, column)}: {figure}{sentence} (--fail-on {fail_on.text})",
        )

    def _regressions(self, fail_on: FailOn) -> tuple[list[Violation], list[str]]:
        subjects = self._subjects(fail_on.subject)
        if not subjects:
            return self._no_subject(fail_on)
        keys = {(table.unique_id, column and column.name) for table, column in subjects}
        tables = {table.unique_id: table for table, _ in subjects}
        violations: list[Violation] = []
        for unique_id, table in tables.items():
            change = self._changes.get(unique_id)
            if change is None:
                continue
            for one in change.columns:
                is_removed = one.status == "removed" and (unique_id, None) in keys
                if is_removed or (unique_id, one.name) in keys:
                    column = column_of(table, one.name) or ColumnQuality(name=one.name)
                    violations += [self._violation(fail_on, table, column, text) for text in one.regressions]
            if (unique_id, None) in keys:
                violations += [self._violation(fail_on, table, None, text) for text in change.regressions]
        compared = sum(unique_id in self._changes for unique_id in tables)
        if compared < len(tables):
            return violations, [_nothing_before(fail_on, len(tables) - compared, "table", compared)]
        return violations, []

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
        sentence = f"'{fail_on.subject}' matches nothing that was measured" + (f"; {hint}" if hint else "")
        return [_of_nothing(fail_on, sentence)], []


def _of_nothing(fail_on: FailOn, sentence: str) -> Violation:
    return Violation(
        unique_id=None,
        figure=fail_on.figure,
        condition=fail_on.text,
        message=f"{sentence} (--fail-on {fail_on.text})",
    )


def _unseen(fail_on: FailOn, seen: int, unseen: int, new: int, why: str) -> list[str]:
    """Return notes on figures that a condition could not be checked for: *unseen* ones, and *new* ones."""
    notes = []
    if new:
        notes.append(_nothing_before(fail_on, new, "figure", seen + unseen))
    if unseen:
        note = f"--fail-on {fail_on.text}: {plural(unseen, 'figure')} could not be compared"
        notes.append(f"{note}; {why}" if why else note)
    if not (seen or notes):
        notes.append(f"--fail-on {fail_on.text} was not checked: no {fail_on.figure} was measured")
    return notes


def _nothing_before(fail_on: FailOn, unseen: int, what: str, seen: int) -> str:
    if not seen:
        return f"--fail-on {fail_on.text} was not checked: there is no earlier measurement"
    return (
        f"--fail-on {fail_on.text}: {plural(unseen, what)} of {seen + unseen:,} without an earlier "
        "measurement"
    )


def names_of(table: TableQuality, label: str) -> list[str]:
    """Return the names that refer to a table: label, name, unique id, and two suffixes of the unique id."""
    unique_id = table.unique_id
    names = [label, table.name, unique_id, unique_id.partition(".")[2], unique_id.rpartition(".")[2]]
    return list(dict.fromkeys(names))


def named_tables(tables: Sequence[TableQuality], names: Iterable[str]) -> tuple[TableQuality, ...]:
    """Return the *tables* that *names* match. Raises SelectorError for a name that matches none."""
    labels = {table.unique_id: names_of(table, table.name) for table in tables}
    matches: set[str] = set()
    for name in names:
        matching = {one for one, several in labels.items() if _fits(several, name)}
        if not matching:
            known = sorted({one for several in labels.values() for one in several})
            raise SelectorError(f"No table '{name}' was measured", hint=did_you_mean(name, known))
        matches |= matching
    return tuple(table for table in tables if table.unique_id in matches)


def _fits(names: Iterable[str], named: str) -> bool:
    # Equal names also match if they contain characters of globs.
    return any(name == named or fnmatchcase(name.casefold(), named.casefold()) for name in names)


@dataclass
class _TableRuling:
    """Violations and notes collected while the rules of a table are checked."""

    label: str
    table: TableQuality
    violations: list[Violation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def with_expectations(
    table: TableQuality, rules: Sequence[TableRules], label: str
) -> tuple[TableQuality, QualityVerdict]:
    """Return *table* with its expectations added: thresholds of metrics, and of figures as metrics.

    Scores are computed from these. Expectations of a score are checked afterwards and do not affect it.
    """
    ruling = _TableRuling(label, table)
    if table.reason is not None:
        if any(map(has_conditions, rules)):
            message = f"{label}: could not be measured: {table.reason}"
            ruling.violations.append(_unmet(table, None, "reason", "is measured", message))
        return table, QualityVerdict(tuple(ruling.violations))
    for rule in rules:
        metrics = _of_custom(ruling, list(ruling.table.metrics), rule.metrics, None)
        ruling.table = replace(ruling.table, metrics=tuple(metrics))
        _of_table_figures(ruling, rule, is_score=False)
        for column in rule.columns:
            _in_columns(ruling, column)
    ruling.table = with_scores(ruling.table)
    for rule in rules:
        _of_table_figures(ruling, rule, is_score=True)
        for column in rule.columns:
            _of_column_figures(ruling, column, is_score=True)
    # Several rules may concern the same table and column.
    return ruling.table, QualityVerdict(tuple(ruling.violations), tuple(dict.fromkeys(ruling.notes)))


def _of_table_figures(ruling: _TableRuling, rule: TableRules, *, is_score: bool) -> None:
    results = _of_figures(ruling, ruling.table, None, rule, is_score)
    ruling.table = replace(ruling.table, metrics=(*ruling.table.metrics, *results))


def _of_column_figures(ruling: _TableRuling, rule: ColumnRules, *, is_score: bool) -> None:
    for column in columns_named(ruling.table, rule.name):
        results = _of_figures(ruling, column, column, rule, is_score)
        _put(ruling, replace(column, metrics=(*column.metrics, *results)))


def _of_figures(
    ruling: _TableRuling,
    subject: Subject,
    column: ColumnQuality | None,
    rule: TableRules | ColumnRules,
    is_score: bool,
) -> list[MetricResult]:
    return [
        _of_figure(ruling, subject, column, one.figure, one.condition)
        for one in rule.expectations
        if (one.figure == SCORE) is is_score
    ]


def _put(ruling: _TableRuling, changed: ColumnQuality) -> None:
    columns = tuple(changed if one.name == changed.name else one for one in ruling.table.columns)
    ruling.table = replace(ruling.table, columns=columns)


def has_conditions(rule: TableRules) -> bool:
    """Return True if *rule* has a condition on a figure or a metric."""
    holders: list[TableRules | ColumnRules] = [rule, *rule.columns]
    return any(one.expectations or any(metric.condition for metric in one.metrics) for one in holders)


def _label_of(label: str, column: ColumnQuality | None) -> str:
    return label if column is None else f"{label}.{column.name}"


def _unmet(
    table: TableQuality, column: str | None, figure: str, condition: str, message: str, value: Value = None
) -> Violation:
    """Return the violation of an expectation."""
    return Violation(
        unique_id=table.unique_id,
        column=column,
        figure=figure,
        condition=condition,
        value=plain_value(value),
        message=message,
        is_expectation=True,
    )


def columns_named(table: TableQuality, name: str) -> list[ColumnQuality]:
    """Return the column with this *name*, or else the columns that match it as a glob."""
    # First, because the name of a column may contain characters of globs.
    exact = column_of(table, name)
    if exact is not None:
        return [exact]
    return [column for column in table.columns if GLOB.intersection(name) and fnmatchcase(column.name, name)]


def _in_columns(ruling: _TableRuling, rule: ColumnRules) -> None:
    named = columns_named(ruling.table, rule.name)
    if not named:
        hint = did_you_mean(rule.name, [column.name for column in ruling.table.columns])
        message = f"{ruling.label}: column '{rule.name}' not found" + (f"; {hint}" if hint else "")
        # A rule that expects nothing of a missing column cannot be violated.
        if rule.expectations or rule.metrics:
            ruling.violations.append(_unmet(ruling.table, rule.name, "name", "is there", message))
        else:
            ruling.notes.append(message)
    for column in named:
        metrics = _of_custom(ruling, list(column.metrics), rule.metrics, column)
        _put(ruling, replace(column, metrics=tuple(metrics)))
    _of_column_figures(ruling, rule, is_score=False)


def _of_custom(
    ruling: _TableRuling,
    measured: list[MetricResult],
    metrics: Iterable[CustomMetric],
    column: ColumnQuality | None,
) -> list[MetricResult]:
    """Return *measured* with a verdict on each metric that has a condition."""
    positions = {metric.name: at for at, metric in enumerate(measured)}
    for metric in metrics:
        if metric.condition is None:
            continue
        at = positions.get(metric.name)
        result = MetricResult(name=metric.name, reason="was not measured") if at is None else measured[at]
        result = _judge(ruling, result, metric.condition, column)
        if at is None:
            measured.append(result)
        else:
            measured[at] = result
    return measured


def _of_figure(
    ruling: _TableRuling, subject: Subject, column: ColumnQuality | None, figure: str, condition: Condition
) -> MetricResult:
    value = figure_of(subject, figure)
    reason = None
    if value is None:
        is_private = column is not None and column.is_private and figure in VALUES
        reason = (column.reason if column else None) or ("its values are withheld" if is_private else None)
    return _judge(ruling, MetricResult(name=figure, value=value, reason=reason), condition, column)


def _judge(
    ruling: _TableRuling, result: MetricResult, condition: Condition, column: ColumnQuality | None
) -> MetricResult:
    """Return *result* with its threshold and verdict, and record a violation if it does not hold.

    An existing verdict is not changed, because the value may have been withheld since.
    """
    value, name, reason = result.value, result.name, result.reason
    is_ruling = result.threshold is not None and result.holds is not None
    verdict = result.holds if is_ruling else None if reason else holds(condition, value)
    table = ruling.table
    rows = table.row_count if table.sampled_rows is None else table.sampled_rows
    if verdict is None and reason is None:
        reason = "is NULL" if value is None else f"is {cell(value)}, which cannot be compared"
        if value is None and not rows:
            reason = NO_ROWS
    if not verdict:
        sentence = _outcome(name, value, reason, verdict, condition.text)
        message = f"{_label_of(ruling.label, column)}: {name} {sentence}"
        column_name = None if column is None else column.name
        ruling.violations.append(_unmet(table, column_name, name, condition.text, message, value))
    return _with(result, condition, verdict, reason)


def _outcome(figure: str, value: Value, reason: str | None, verdict: bool | None, expected: str) -> str:
    """Return the figure's value, or why it is unknown, and the *expected* condition."""
    if reason is not None and verdict is not None:  # the value was withheld after the verdict
        return f"does not meet {expected}: {reason}"
    said = reason or f"is {figure_text(figure, value)}"
    return f"{said if said.startswith('is ') else f'could not be measured: {said}'}, expected {expected}"


def _with(
    result: MetricResult, condition: Condition, verdict: bool | None, reason: str | None
) -> MetricResult:
    return replace(
        result, value=plain_value(result.value), threshold=condition.text, holds=verdict, reason=reason
    )


def stored_verdict(table: TableQuality, label: str) -> QualityVerdict:
    """Return the violations that were found when *table* was measured, from its stored thresholds."""
    violations = []
    subjects: list[TableQuality | ColumnQuality] = [table, *table.columns]
    for subject in subjects:
        column = subject if isinstance(subject, ColumnQuality) else None
        for metric in subject.metrics:
            if metric.threshold is None or metric.holds:
                continue
            sentence = _outcome(metric.name, metric.value, metric.reason, metric.holds, metric.threshold)
            message = f"{_label_of(label, column)}: {metric.name} {sentence}"
            name = None if column is None else column.name
            violations.append(_unmet(table, name, metric.name, metric.threshold, message, metric.value))
    return QualityVerdict(tuple(violations))
