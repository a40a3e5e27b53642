"""Reader of a metrics file (quality.yml): custom metrics, and expectations of figures.

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

All problems of a file are reported together, each with file, line and key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from recce_meta.config.nodes import is_pattern
from recce_meta.errors import ConfigurationError, UsageError, did_you_mean
from recce_meta.models.quality import (
    COLUMN_FIGURES,
    EXAMPLE,
    FIGURES,
    REGRESSION,
    TABLE_FIGURES,
    ColumnRules,
    Condition,
    CustomMetric,
    Expectation,
    Operator,
    QualityRules,
    TableRules,
    read_condition,
)
from recce_meta.profiles.lined_yaml import (
    Lined,
    LinedReader,
    MalformedValue,
    describe_value,
    flag,
    problems_text,
    read_lined,
    string,
    strings,
)

Made = TypeVar("Made")
Rules = TypeVar("Rules", ColumnRules, CustomMetric)

TOP = ("version", "tables", "private")
TABLE = ("name", "select", "description", "expect", "metrics", "columns")
COLUMN = ("name", "description", "expect", "metrics", "private")
METRIC = ("name", "description", "sql", "expect")

_PLAIN_NAME = re.compile(r"[^\W\d]\w*")
_EXPECTS = ("threshold", "thresholds", "tests", "data_tests", "expects", "expectations", "condition")
"""Keys that users may write instead of `expect`."""
_TABLES = ("models", "sources", "seeds", "snapshots", "nodes", "relations", "views")


def read_quality_file(path: Path) -> QualityRules:
    """Return the metrics and expectations of the file.

    Raises ConfigurationError, with the line of each problem, if the file cannot be read, is not YAML, or is
    invalid.
    """
    try:
        content = read_lined(path)
    except ConfigurationError as error:
        if "not valid YAML" in error.message:  # YAML reads `expect: > 0` as a malformed block scalar
            error.hint = "put conditions in quotes: expect: '> 0'"
        raise
    reader = _QualityReader(path)
    rules = reader.rules(content)
    if reader.problems:
        message, hint = problems_text(path, reader.problems)
        raise ConfigurationError(message, hint=hint)
    return rules


class _QualityReader(LinedReader):
    """Parser of one file."""

    def rules(self, content: Any) -> QualityRules:
        """Return the rules of the whole file."""
        if not isinstance(content, Lined):
            self.report(f"the file must be a mapping with tables, not {describe_value(content)}")
            return QualityRules(path=str(self.path))
        self.refuse_unknown(content, TOP, "the file")
        tables = self._each(content, "tables", self._table)
        private = self.convert_optional(content, "private", strings) or ()
        if "tables" not in content and not private and not self.problems:
            hint = "put a list below tables:, each with name or select"
            self.report("the file has no tables", hint=hint)
        return QualityRules(path=str(self.path), tables=tables, private=private)

    def _table(self, given: Lined, line: int) -> TableRules:
        self.refuse_unknown(given, TABLE, "a table")
        name, select = (
            self.convert_optional(given, "name", string),
            self.convert_optional(given, "select", string),
        )
        if (given.get("name") is None) == (given.get("select") is None):
            self.report("a table must have either name or select", line=line)
        return TableRules(
            name=name,
            select=select,
            metrics=self._metrics(given),
            expectations=self._expectations(given, TABLE_FIGURES, "tables"),
            columns=self._distinct(self._each(given, "columns", self._column), "column"),
            line=line,
        )

    def _column(self, given: Lined, line: int) -> ColumnRules:
        self.refuse_unknown(given, COLUMN, "a column")
        name = self._name(given, line, "a column")
        metrics = self._metrics(given)
        if metrics and is_pattern(name):
            message = f"metrics need a single column, but {describe_value(name)} is a glob"
            self.report(message, line=metrics[0].line)
        return ColumnRules(
            name=name,
            metrics=metrics,
            expectations=self._expectations(given, COLUMN_FIGURES, "columns"),
            is_private=self.convert_optional(given, "private", flag),
            line=line,
        )

    def _metrics(self, given: Lined) -> tuple[CustomMetric, ...]:
        return self._distinct(self._each(given, "metrics", self._metric), "metric")

    def _metric(self, given: Lined, line: int) -> CustomMetric:
        self.refuse_unknown(given, METRIC, "a metric")
        name = self._name(given, line, "a metric")
        if name in FIGURES:
            hint = f"put expect: {{{name}: …}} next to metrics, not inside it"
            self.report(f"{describe_value(name)} is a built-in figure", line=line, hint=hint)
        elif name and (name == REGRESSION or not _PLAIN_NAME.fullmatch(name)):
            hint = "use letters, digits and _, and do not start with a digit"
            self.report(f"{describe_value(name)} is not a valid metric name", line=line, hint=hint)
        if given.get("sql") is None:
            hint = "add sql: an aggregate expression such as count(distinct rating)"
            self.report("the metric has no sql", line=line, hint=hint)
        condition = self.convert(given, "expect", _condition) if "expect" in given else None
        sql = self.convert_optional(given, "sql", string) or ""
        return CustomMetric(name=name, sql=sql, condition=condition, line=line)

    def _expectations(self, given: Lined, figures: Sequence[str], of: str) -> tuple[Expectation, ...]:
        expect = given.get("expect")
        if expect is None:
            return ()
        if not isinstance(expect, Lined):
            hint = f'write, for example, expect: {{{figures[-1]}: ">= 90"}}'
            message = f"expect must be a mapping by figure, not {describe_value(expect)}"
            self.report(message, line=given.lines["expect"], hint=hint)
            return ()
        expectations = []
        for figure, line in expect.lines.items():
            if figure not in figures:
                other = "under columns" if figure in COLUMN_FIGURES else "under expect of the table"
                hint = did_you_mean(figure, figures) or f"figures of {of}: {', '.join(figures)}"
                if figure in FIGURES:
                    hint = f"put {figure} {other}"
                self.report(f"{of} have no figure {describe_value(figure)}", line=line, hint=hint)
            elif condition := self.convert(expect, figure, _condition):
                expectations.append(Expectation(figure=figure, condition=condition, line=line))
        return tuple(expectations)

    def _each(self, given: Lined, key: str, read: Callable[[Lined, int], Made]) -> tuple[Made, ...]:
        """Return each entry of the list at *key*, as read by *read*."""
        entries = given.get(key)
        if entries is None:
            return ()
        line = given.lines[key]
        if not isinstance(entries, list):
            message = f"{key} must be a list, not {describe_value(entries)}"
            self.report(message, line=line, hint="start each entry with '- name:'")
            return ()
        made = []
        for entry in entries:
            if isinstance(entry, Lined) and entry:
                # The line of an entry is that of its first key.
                made.append(read(entry, min(entry.lines.values())))
            else:
                self.report(
                    f"an entry of {key} must be a mapping, not {describe_value(entry or None)}", line=line
                )
        return tuple(made)

    def _distinct(self, made: tuple[Rules, ...], what: str) -> tuple[Rules, ...]:
        seen = set()
        for rules in made:
            if rules.name and rules.name in seen:
                self.report(f"duplicate {what} {describe_value(rules.name)}", line=rules.line)
            seen.add(rules.name)
        return made

    def _name(self, given: Lined, line: int, of: str) -> str:
        if given.get("name") is None:
            self.report(f"{of} must have a name", line=line)
        return self.convert_optional(given, "name", string) or ""

    def suggest(self, key: str, known: Sequence[str], of: str) -> str | None:
        """Return a hint for *key* if it is a common alternative to a key in *known*."""
        if key in _EXPECTS and "expect" in known:
            return "use expect for conditions"
        if key in _TABLES and "tables" in known:
            return "use tables for every kind of relation"
        if key in FIGURES and "expect" in known:
            return f"put figures under expect: {{{key}: …}}"
        return None


def _condition(value: object) -> Condition:
    """Return a condition; a plain number, boolean or null means equality."""
    if value is None or isinstance(value, (bool, int, float)):
        # A boolean stays one, although Python counts it as a number.
        bound = value if isinstance(value, bool) or value is None else Decimal(str(value))
        written = "null" if value is None else str(value).lower()
        return Condition(operator=Operator.EQUAL, bound=bound, text=f"= {written}")
    if not isinstance(value, str):
        raise MalformedValue.instead_of("a condition", value, EXAMPLE)
    try:
        return read_condition(value)
    except UsageError as error:
        raise MalformedValue(f": {error.message}", hint=error.hint) from error
