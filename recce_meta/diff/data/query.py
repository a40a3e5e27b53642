"""`query_diff`: the results of two queries, by key or as multisets, compared in the warehouse."""

from __future__ import annotations

from recce_meta.diff.data.detail import value_detail_of
from recce_meta.diff.data.key_facts import key_facts
from recce_meta.diff.data.keyed import keyed
from recce_meta.diff.data.plan import Plan
from recce_meta.diff.data.rows import rows_diff
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.diff.data.source import Pair
from recce_meta.diff.data.value import value_diff_of
from recce_meta.models.data_diff import QueryDiff


def query_diff(pair: Pair, options: ValueOptions, *, base_sql: str, current_sql: str) -> Plan[QueryDiff]:
    """How the results of *base_sql* and *current_sql* differ, of which *pair* was made.

    With a key: the values of rows matched by it, and the first rows that differ; rows whose key is repeated
    are counted. Without one: the rows that one side has, or has more often, which two targets can be asked,
    too. Raises what `value_diff` and `rows_diff` raise.
    """
    if options.key is None:
        rows = yield from rows_diff(pair, options)
        return QueryDiff(
            subject=pair.subject, notes=rows.notes, base_sql=base_sql, current_sql=current_sql, rows=rows
        )
    pair.check_joined("query diff with keys")
    sides = yield from keyed(pair, options)
    facts = yield from key_facts(sides)
    values = yield from value_diff_of(pair, sides, facts)
    detail = None
    if options.limit and (values.added or values.removed or values.changed):
        detail = yield from value_detail_of(pair, sides, facts)
    return QueryDiff(
        subject=pair.subject,
        notes=values.notes,
        base_sql=base_sql,
        current_sql=current_sql,
        values=values,
        detail=detail,
    )
