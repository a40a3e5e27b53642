"""Output aliases that hide what a statement means: GoogleSQL looks an alias up before a table or a column."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlglot
from sqlglot import exp

from recce_meta.store.sql_files import dialects, files
from tests.golden.sql.sections import SUBJECTS, texts

CLAUSES = ("group", "having", "order")


def hidden(sql: str, dialect: str) -> list[str]:
    """What output aliases of a SELECT hide in its GROUP BY, HAVING and ORDER BY."""
    return [
        fault
        for tree in sqlglot.parse(sql, read=dialect)
        if tree is not None
        for select in tree.find_all(exp.Select)
        for fault in _hidden_in(select)
    ]


def _hidden_in(select: exp.Select) -> Iterator[str]:
    made = {one.alias.lower(): one.this for one in select.expressions if isinstance(one, exp.Alias)}
    for clause in CLAUSES:
        for column in select.args[clause].find_all(exp.Column) if select.args.get(clause) else ():
            if column.find_ancestor(exp.Select) is not select:
                continue
            table, name = column.table.lower(), column.name.lower()
            if table in made:
                yield f"{clause}: alias {table} hides the table of {column.sql()}"
            is_own = table or name not in made or _is_column(made[name], name)
            if not is_own and made[name].find(exp.AggFunc) and column.find_ancestor(exp.AggFunc):
                yield f"{clause}: alias {name} is an aggregate within an aggregate"


def _is_column(expression: exp.Expression, name: str) -> bool:
    return isinstance(expression, exp.Column) and expression.name.lower() == name


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (
            "SELECT runs.a, COUNT(*) AS runs FROM runs GROUP BY runs.a",
            "group: alias runs hides the table of runs.a",
        ),
        (
            "SELECT MAX(v) AS v FROM t HAVING MAX(v) > 1",
            "having: alias v is an aggregate within an aggregate",
        ),
        ("SELECT MAX(v) AS v FROM t ORDER BY MAX(v)", "order: alias v is an aggregate within an aggregate"),
        ("SELECT MAX(v) AS v FROM t HAVING MAX(t.v) > 1", None),
        ("SELECT a AS v, COUNT(*) AS n FROM t GROUP BY a ORDER BY n", None),
    ],
)
def test_hidden_names_are_found(sql: str, fault: str | None) -> None:
    assert hidden(sql, "bigquery") == ([] if fault is None else [fault])


@pytest.mark.cases(2)
@pytest.mark.parametrize("dialect", dialects())
def test_no_alias_of_a_statement_hides_a_table_or_a_column(dialect: str) -> None:
    assert len(files(dialect)) > 100
    found = {file.name: faults for file in files(dialect).values() if (faults := hidden(file.text, dialect))}
    assert found == {}


def test_no_alias_of_a_data_diff_hides_a_table_or_a_column() -> None:
    parts = {
        f"{subject}/{case}": text for subject in SUBJECTS for case, text in texts(subject, "bigquery").items()
    }
    assert len(parts) > 20
    assert {name: faults for name, text in parts.items() if (faults := hidden(text, "bigquery"))} == {}
