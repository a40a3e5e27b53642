"""Conditions and operands that are written twice, or whose DISTINCT does not count."""

from __future__ import annotations

import pytest

from recce_meta.sql_diff import classify_change

SCHEMAS = {"t": {"a": "int", "b": "int"}, "u": {"a": "int"}}
T, UNION = "select a from t where b > 1", "select a from t union select a from u"
IN = "a in (select a from u)"
USING = "select a from t join u using (a) where t.b = 1"
COUNT = "select count(*) as n from t having count(*) > 1"
RANDOM, CALL = "select a from t where random() < 0.5", "select a from t where f(a)"
NUMBERED = "select a, row_number() over (order by a) as n from t union select a, 1 from u"
X = f"with x as (select a from t) {NUMBERED.replace('from t', 'from x')}"
PAIRS = [
    (T, f"{T} and b > 1", "none"),
    (T, f"{T} and {IN} and b > 1 and {IN}", "breaking"),
    (f"{T} and {IN}", f"{T} and {IN} and {IN}", "none"),
    (T, f"with x as ({T.replace('a from', 'a, b from')}) select a from x where b > 1", "none"),
    (f"{USING} and t.b = 1", USING, "none"),
    (RANDOM, f"{RANDOM} and random() < 0.5", "breaking"),
    (CALL, f"{CALL} and f(a)", "breaking"),
    (COUNT, f"{COUNT} and count(*) > 1", "none"),
    (UNION, UNION.replace("select a from t", "select distinct a from t"), "none"),
    (f"{T} union select a from u", f"{T.replace('a from', 'distinct a from')} union select a from u", "none"),
    (UNION.replace("union", "union all"), "select distinct a from t union all select a from u", "breaking"),
    (UNION.replace("union", "except all"), "select distinct a from t except all select a from u", "breaking"),
    (UNION, "(select distinct a from t limit 2) union select a from u", "breaking"),
    (NUMBERED, NUMBERED.replace("select a, row", "select distinct a, row"), "none"),
    (X, X.replace("(select a", "(select distinct a"), "breaking"),
]


@pytest.mark.parametrize(("old", "new", "expected"), PAIRS)
def test_what_is_written_twice_counts_once(old: str, new: str, expected: str) -> None:
    assert classify_change(old, new, "duckdb", SCHEMAS) == expected
    assert classify_change(new, old, "duckdb", SCHEMAS) == expected
