"""Files of metrics: what they say, and what is told of those that say what cannot be understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from recce_meta.errors import ConfigurationError
from recce_meta.quality.file import read_quality_file

GOOD = """
version: 2
private: "*_note"
tables:
  - name: film
    description: What is rented
    expect: {row_count: "> 0"}
    metrics:
      - name: priced_share
        sql: avg(case when rate > 0 then 1.0 else 0 end)
        expect: ">= 95%"
      - {name: total, sql: sum(rate)}
    columns:
      - name: rating
        private: false
        expect:
          null_share: "<= 1%"
          null_count: 0
      - {name: "*_id", expect: {distinct_share: = 1}}
  - select: tag:nightly
"""

REPEATING = "a0: &a0 [x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 99)}]\n" for level in range(1, 9)
)

BROKEN = {
    "tables:\n  - name: a\n    threshold: 1": (
        3,
        "unknown key 'threshold' in a table",
        "use expect for conditions",
    ),
    "models: []": (1, "unknown key 'models' in the file", "use tables for every kind of relation"),
    "tables:\n  - name: a\n    expect: {null_share: 1}": (
        3,
        "tables have no figure 'null_share'",
        "put null_share under columns",
    ),
    "tables:\n  - name: a\n    columns:\n      - name: b\n        expect: {null_share: '1%'}": (
        5,
        "null_share: Condition '1%' has no comparison operator",
        "write for example '>= 95%', '= 0' or 'between 1 and 5'",
    ),
    "tables:\n  - name: a\n    metrics:\n      - name: m": (4, "the metric has no sql", "an aggregate"),
    "tables:\n  - name: a\n    metrics:\n      - {name: score, sql: '1'}": (
        4,
        "'score' is a built-in figure",
        "expect: {score: …}",
    ),
    "tables:\n  - name: a\n    metrics:\n      - {name: a-b, sql: '1'}": (
        4,
        "'a-b' is not a valid metric name",
        "_",
    ),
    "tables:\n  - name: a\n    select: b": (2, "a table must have either name or select", ""),
    "tables: a": (1, "tables must be a list, not 'a'", "- name:"),
    "tables:\n  - a": (1, "an entry of tables must be a mapping, not 'a'", ""),
    "tables:\n  - name: 1": (2, "name must be a string, not 1", "put it in quotes"),
    "tables:\n  - name: a\n    columns: [{name: b}, {name: b}]": (3, "duplicate column 'b'", ""),
    "tables:\n  - name: a\ntables: []": (3, "duplicate key 'tables', first given in line 1", ""),
    "tables:\n  - name: a\n    columns:\n      - {name: b, private: true, private: false}": (
        4,
        "duplicate key 'private', first given in line 4",
        "",
    ),
    REPEATING: (4, "repeats more than 500,000 values", "aliases of values"),
    "tables: !!timestamp x": (1, "it does not fit its tag tag:yaml.org,2002:timestamp", ""),
    "[]": (1, "the file must be a mapping with tables, not a list", ""),
    "": (1, "the file must be a mapping with tables, not nothing", ""),
    "tables:\n  - name: a\n    expect: {row_count: [1]}": (
        3,
        "row_count must be a condition, not a list",
        "",
    ),
    "tables:\n  - name: a\n    metrics:\n      - name: m\n        sql: x\n        expect: > 0": (
        6,
        "is not valid YAML",
        "put conditions in quotes",
    ),
    "tables:\n  - name: a\n    columns:\n      - name: '*'\n        metrics: [{name: m, sql: x}]": (
        5,
        "metrics need a single column, but '*' is a glob",
        "",
    ),
}


def test_a_file_says_metrics_and_expectations(tmp_path: Path) -> None:
    path = tmp_path / "quality.yml"
    path.write_text(GOOD)
    rules = read_quality_file(path)
    film, nightly = rules.tables
    assert rules.private == ("*_note",) and nightly.select == "tag:nightly" and film.line == 5
    assert [str(one.condition) for one in film.expectations] == ["> 0"]
    assert [(metric.name, metric.condition and metric.condition.text) for metric in film.metrics] == [
        ("priced_share", ">= 95%"),
        ("total", None),
    ]
    rating, ids = film.columns
    assert rating.is_private is False and ids.is_private is None
    assert [(one.figure, one.condition.text, one.line) for one in rating.expectations] == [
        ("null_share", "<= 1%", 17),
        ("null_count", "= 0", 18),
    ]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_names_line_and_key(tmp_path: Path, text: str) -> None:
    line, message, hint = BROKEN[text]
    path = tmp_path / "quality.yml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        read_quality_file(path)
    assert f"{path}:{line}" in raised.value.message and message in raised.value.message
    assert hint in (raised.value.hint or "")


def test_all_problems_are_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "quality.yml"
    path.write_text("tables:\n  - name: a\n    metrics:\n      - name: m\n    bogus: 1\nmodels: []\n")
    with pytest.raises(ConfigurationError) as raised:
        read_quality_file(path)
    lines = [line.removeprefix(f"{path}:").partition(":")[0] for line in raised.value.message.splitlines()]
    assert lines == ["4", "5", "6"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Cannot read"):
        read_quality_file(tmp_path / "none.yml")
