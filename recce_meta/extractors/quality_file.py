"""Reads a file of metrics (quality.yml): what is measured besides, and what is expected of figures.

```yaml
tables:
  - name: film
    expect: {row_count: "> 0", score: ">= 90"}
    metrics:
      - name: priced_share
        sql: avg(case when rental_rate > 0 then 1.0 else 0 end)
        expect: ">= 95%"
    columns:
      - name: rating
        expect: {null_share: "<= 1%"}
private: ["*_note"]
```

Everything that is wrong with a file is told at once, each with file, line and key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from recce_meta.errors import ConfigurationError, UsageError, did_you_mean
from recce_meta.extractors.check_values import Lined, MalformedValue, flag, shown, text, texts
from recce_meta.extractors.lined_yaml import read_lined
from recce_meta.models.quality_conditions import (
    COLUMN_FIGURES,
    EXAMPLE,
    FIGURES,
    REGRESSION,
    TABLE_FIGURES,
    read_condition,
)
from recce_meta.models.quality_rules import (
    ColumnRules,
    Condition,
    CustomMetric,
    Expectation,
    Operator,
    QualityRules,
    TableRules,
)

Made = TypeVar("Made")

TOP = ("version", "tables", "private")
TABLE = ("name", "select", "description", "expect", "metrics", "columns")
COLUMN = ("name", "description", "expect", "metrics", "private")
METRIC = ("name", "description", "sql", "expect")
MOST_TOLD = 8
"""Problems of a file that are told; the rest is counted."""

_PLAIN_NAME = re.compile(r"[^\W\d]\w*")
_EXPECTS = ("threshold", "thresholds", "tests", "data_tests", "expects", "expectations", "condition")
"""What people write for `expect`."""
_TABLES = ("models", "sources", "seeds", "snapshots", "nodes", "relations", "views")


def is_glob(name: str) -> bool:
    """Whether *name* of a column stands for several."""
    return any(character in name for character in "*?[")


def read_quality_file(path: Path) -> QualityRules:
    """The metrics and expectations of the file.

    Raises ConfigurationError for a file that cannot be read, is no YAML, or says what cannot be understood;
    its message tells each place.
    """
    try:
        content = read_lined(path)
    except ConfigurationError as error:
        if "not valid YAML" in error.message:  # `expect: > 0` is a text of several lines that never begins
            error.hint = "conditions stand in quotes: expect: '> 0'"
        raise
    reading = _Reading(path)
    rules = reading.rules(content)
    if reading.problems:
        raise _wrong_file(path, sorted(reading.problems, key=lambda problem: problem[0]))
    return rules


def _wrong_file(path: Path, problems: Sequence[tuple[int, str, str | None]]) -> ConfigurationError:
    """One error of all *problems*; a hint stands with its own, unless there is only one."""
    if len(problems) == 1:
        line, message, hint = problems[0]
        return ConfigurationError(f"{path}:{line}: {message}", hint=hint)
    told = [
        f"{path}:{line}: {message}" + (f" ({hint})" if hint else "")
        for line, message, hint in problems[:MOST_TOLD]
    ]
    rest = len(problems) - len(told)
    return ConfigurationError("\n".join(told + ([f"and {rest:,} more"] if rest else [])))


class _Reading:
    """A file on its way; problems are gathered, so that all are told at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problems: list[tuple[int, str, str | None]] = []
        """Line, what is wrong, and what to do."""

    def rules(self, content: Any) -> QualityRules:
        """The whole file."""
        if not isinstance(content, Lined):
            self._wrong(1, f"the file must be a mapping with tables, not {shown(content)}")
            return QualityRules(path=str(self._path))
        self._refuse_unknown(content, TOP, "the file")
        tables = self._each(content, "tables", self._table)
        private = self._field(content, "private", texts) or ()
        if "tables" not in content and not private and not self.problems:
            self._wrong(1, "the file has no tables", "below tables: stands a list, each with name or select")
        return QualityRules(path=str(self._path), tables=tables, private=private)

    def _table(self, given: Lined, line: int) -> TableRules:
        self._refuse_unknown(given, TABLE, "a table")
        name, select = self._field(given, "name", text), self._field(given, "select", text)
        if (given.get("name") is None) == (given.get("select") is None):
            self._wrong(line, "a table has a name, or select to name several")
        return TableRules(
            name=name,
            select=select,
            metrics=self._metrics(given),
            expectations=self._expectations(given, TABLE_FIGURES, "tables"),
            columns=self._distinct(self._each(given, "columns", self._column), "column"),
            line=line,
        )

    def _column(self, given: Lined, line: int) -> ColumnRules:
        self._refuse_unknown(given, COLUMN, "a column")
        name = self._name(given, line, "a column")
        metrics = self._metrics(given)
        if metrics and is_glob(name):
            self._wrong(
                metrics[0].line, f"metrics belong to one column, and {shown(name)} stands for several"
            )
        return ColumnRules(
            name=name,
            metrics=metrics,
            expectations=self._expectations(given, COLUMN_FIGURES, "columns"),
            is_private=self._field(given, "private", flag),
            line=line,
        )

    def _metrics(self, given: Lined) -> tuple[CustomMetric, ...]:
        return self._distinct(self._each(given, "metrics", self._metric), "metric")

    def _metric(self, given: Lined, line: int) -> CustomMetric:
        self._refuse_unknown(given, METRIC, "a metric")
        name = self._name(given, line, "a metric")
        if name in FIGURES:
            self._wrong(
                line, f"{shown(name)} is measured anyway", f"expect: {{{name}: …}} stands beside metrics"
            )
        elif name and (name == REGRESSION or not _PLAIN_NAME.fullmatch(name)):
            self._wrong(line, f"{shown(name)} cannot name a metric", "letters, digits and _, no digit first")
        if given.get("sql") is None:
            self._wrong(line, "the metric has no sql", "an aggregate expression: count(distinct rating)")
        condition = None
        if "expect" in given:
            condition = self._condition(given, "expect")
        return CustomMetric(
            name=name, sql=self._field(given, "sql", text) or "", condition=condition, line=line
        )

    def _expectations(self, given: Lined, figures: Sequence[str], of: str) -> tuple[Expectation, ...]:
        found = given.get("expect")
        if found is None:
            return ()
        line = given.lines["expect"]
        if not isinstance(found, Lined):
            hint = f'such as expect: {{{figures[-1]}: ">= 90"}}'
            self._wrong(line, f"expect must be a mapping by figure, not {shown(found)}", hint)
            return ()
        expectations = []
        for figure in found:
            if figure not in figures:
                other = "under columns" if figure in COLUMN_FIGURES else "at the table"
                hint = did_you_mean(figure, figures) or f"of {of} there are: {', '.join(figures)}"
                if figure in FIGURES:
                    hint = f"{figure} stands {other}"
                self._wrong(found.lines[figure], f"{of} have no figure {shown(figure)}", hint)
            elif condition := self._condition(found, figure):
                expectations.append(Expectation(figure=figure, condition=condition, line=found.lines[figure]))
        return tuple(expectations)

    def _condition(self, given: Lined, key: str) -> Condition | None:
        """A condition; a number, a truth value or null alone is what the figure has to be."""
        value = given[key]
        if value is None or isinstance(value, (bool, int, float)):
            bound = value if isinstance(value, bool) or value is None else Decimal(str(value))
            said = "null" if value is None else str(value).lower()
            return Condition(operator=Operator.EQUAL, bound=bound, text=f"= {said}")
        if not isinstance(value, str):
            self._wrong(given.lines[key], f"{key} must be a condition, not {shown(value)}", EXAMPLE)
            return None
        try:
            return read_condition(value)
        except UsageError as error:
            self._wrong(given.lines[key], f"{key}: {error.message}", error.hint)
            return None

    def _each(self, given: Lined, key: str, read: Callable[[Lined, int], Made]) -> tuple[Made, ...]:
        """What *read* makes of each entry of the list below *key*."""
        found = given.get(key)
        if found is None:
            return ()
        if not isinstance(found, list):
            self._wrong(
                given.lines[key],
                f"{key} must be a list, not {shown(found)}",
                "each entry begins with '- name:'",
            )
            return ()
        made = []
        for entry in found:
            if isinstance(entry, Lined) and entry:
                made.append(read(entry, min(entry.lines.values())))
            else:
                self._wrong(
                    given.lines[key], f"an entry of {key} must be a mapping, not {shown(entry or None)}"
                )
        return tuple(made)

    def _distinct(self, made: tuple[Made, ...], what: str) -> tuple[Made, ...]:
        seen = set()
        for one in made:
            name, line = getattr(one, "name", ""), getattr(one, "line", 1)
            if name and name in seen:
                self._wrong(line, f"the {what} {shown(name)} stands twice")
            seen.add(name)
        return made

    def _name(self, given: Lined, line: int, of: str) -> str:
        if given.get("name") is None:
            self._wrong(line, f"{of} must have a name")
        return self._field(given, "name", text) or ""

    def _field(self, given: Lined, key: str, read: Callable[[object], Any]) -> Any:
        if given.get(key) is None:
            return None
        try:
            return read(given[key])
        except MalformedValue as error:
            self._wrong(error.line or given.lines[key], f"{key} {error.message}", error.hint)
            return None

    def _refuse_unknown(self, given: Mapping[str, Any], known: tuple[str, ...], of: str) -> None:
        for key in given:
            if key not in known:
                hint = _meant(key, known) or did_you_mean(key, known) or f"{of} can have: {', '.join(known)}"
                line = given.lines.get(key, 1) if isinstance(given, Lined) else 1
                self._wrong(line, f"unknown key {shown(key)} in {of}", hint)

    def _wrong(self, line: int, message: str, hint: str | None = None) -> None:
        self.problems.append((line, message, hint))


def _meant(key: str, known: tuple[str, ...]) -> str | None:
    """What stands in the place of *key* here, where people know it from elsewhere."""
    if key in _EXPECTS and "expect" in known:
        return "expect says what has to hold"
    if key in _TABLES and "tables" in known:
        return "tables names them all, whatever makes them"
    if key in FIGURES and "expect" in known:
        return f"figures stand under expect: {{{key}: …}}"
    return None
