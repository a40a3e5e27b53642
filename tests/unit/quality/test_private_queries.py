"""Values of queries that are computed of private columns."""

from __future__ import annotations

import pytest

from recce_meta.models.data_diff import QueryDiff, RowsDiff, Subject
from recce_meta.quality.privacy import Privacy
from recce_meta.quality.private_outputs import of_query


@pytest.mark.parametrize(
    ("sql", "columns", "hidden"),
    [
        ("select max(email) from t", ("max",), {"max"}),
        ("select lower(email) as a, id, count(email) as n from t", ("a", "id", "n"), {"a"}),
        ("select m from (select max(email) as m from t) q", ("m",), {"m"}),
        ("select id from t", ("id",), set()),
        ("select * from t", ("id", "email"), {"email"}),
        ("select max(email) from t", ("another name",), {"another name"}),
        ("select $$ from", ("id",), {"id"}),
    ],
)
def test_outputs_of_a_query_are_private_like_the_columns_that_they_read(
    sql: str, columns: tuple[str, ...], hidden: set[str]
) -> None:
    rows = RowsDiff(subject=Subject(name="Query"), columns=columns, base_rows=1, current_rows=1)
    result = QueryDiff(subject=rows.subject, base_sql=sql, current_sql=sql, rows=rows)

    privacy = of_query(result, Privacy(), ("postgres", "postgres"))

    assert {name for name in columns if privacy.withholds(name)} == hidden
