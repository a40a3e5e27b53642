"""Which calls in a select list turn one row into several, or into none."""

from __future__ import annotations

import re

from sqlglot import exp

from recce_meta.dialects.types import Sql

SERIES_ARE_ROWS = frozenset({"", "postgres", "redshift", "materialize", "risingwave"})
"""Dialects in which `generate_series` in a select list gives a row for each number, and no array."""
OWN_FUNCTIONS_MAY_GIVE_ROWS = frozenset({"postgres", "materialize", "risingwave"})
"""Dialects in which a function that somebody wrote can give several rows in a select list."""

ROW_MAKERS = (exp.UDTF, exp.Explode, exp.Posexplode, exp.Inline)
ROW_MAKER_NAME = re.compile(
    r"""(?ix)
    .*explode.* | .*unnest.* | .*_to_table | .*_elements(_text)? | jsonb?_each(_text)? | jsonb?_object_keys
    | .*recordset | jsonb?_populate_record(set)? | jsonb?_to_record | jsonb_path_query | regexp_matches
    | generate_(series|subscripts|rows) | .*_series | inline(_outer)? | stack | json_tuple | parse_url_tuple
    | .*table_function.* | xpath_table | crosstab\w* | each | skeys | svals | st_dump\w* | pg_ls_\w+
    | aclexplode | ts_stat | ts_parse | unpivot\w* | lateral_flatten
    """
)
"""Names of functions that give several rows somewhere, where sqlglot has no class for them."""


def is_inline_call(node: Sql) -> bool:
    """Return True if *node* is Spark's `inline` or `inline_outer`, which make columns of fields."""
    return isinstance(node, exp.Inline) or (
        isinstance(node, exp.Anonymous) and node.name.upper() == "INLINE_OUTER"
    )


def makes_rows(node: Sql, dialect: str) -> bool:
    """Whether this call, in a select list, may give more or fewer rows than one."""
    if isinstance(node, ROW_MAKERS):
        return True
    if isinstance(node, exp.GenerateSeries):
        return dialect in SERIES_ARE_ROWS or node.key == "explodinggenerateseries"
    if isinstance(node, exp.Anonymous):
        return bool(ROW_MAKER_NAME.fullmatch(node.name)) or is_own(node, dialect)
    return False


def is_own(call: exp.Anonymous, dialect: str) -> bool:
    """Whether somebody wrote this function, as its schema shows, where such functions can give rows."""
    return dialect in OWN_FUNCTIONS_MAY_GIVE_ROWS and isinstance(call.parent, exp.Dot)
