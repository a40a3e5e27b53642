"""Names that warehouses give to outputs without an alias.

Only expressions whose names were compared with those of DuckDB, PostgreSQL and Spark are here. BigQuery
numbers its outputs, and Snowflake takes the text in capitals. Any other output is called by its text, unless
the catalog has its name.
"""

from __future__ import annotations

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.graph.columns.tree import args, unwrapped

_OPERATORS: dict[type, str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.EQ: "=", exp.GT: ">"}
_FUNCTIONS = (exp.Sum, exp.Min, exp.Max, exp.Avg, exp.Lower, exp.Upper, exp.Abs)
_NAMELESS = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Predicate, exp.DPipe, exp.Literal, exp.Neg, exp.Not)
"""What PostgreSQL calls `?column?`."""
_SPARK = frozenset({"databricks", "spark"})
_POSTGRES = frozenset({"postgres", "redshift"})


class Unnamed:
    """Names the outputs without an alias of one query, in their order."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._count = 0

    def name(self, node: Sql | None, text: str | None) -> str | None:
        """Return the name of the next one: *node*, written as *text*. None if that is not known."""
        number = self._count
        self._count += 1
        if self._dialect == "bigquery":
            return f"f{number}_"
        if node is None:
            return None
        if self._dialect in _POSTGRES:
            # Several such columns are told apart by their text.
            return "?column?" if number == 0 and isinstance(unwrapped(node), _NAMELESS) else None
        if self._dialect == "snowflake":
            return text.upper() if text and not set(text) & set("'\"") else None
        if self._dialect == "duckdb" or self._dialect in _SPARK:
            return self._spelt(node)
        return None

    def _spelt(self, node: Sql) -> str | None:
        node, in_duckdb = unwrapped(node), self._dialect == "duckdb"
        if isinstance(node, exp.Column):
            return str(node.name)
        if isinstance(node, exp.Literal):
            return f"'{node.name}'" if node.is_string and in_duckdb else str(node.name)
        operator = _OPERATORS.get(node.__class__)
        if operator is not None:
            return self._joined(f" {operator} ", [node.this, node.expression], "(", ")")
        if isinstance(node, exp.Count) and isinstance(node.this, exp.Star):
            return "count_star()" if in_duckdb else "count(1)"
        if isinstance(node, exp.Coalesce):
            name = "COALESCE" if in_duckdb else "coalesce"
            return self._joined(", ", [node.this, *args(node, "expressions")], f"{name}(", ")")
        if isinstance(node, (*_FUNCTIONS, exp.Count)) and not isinstance(node.this, exp.Distinct):
            return self._joined(", ", [node.this], f"{node.key}(", ")")
        return None

    def _joined(self, between: str, parts: list[Sql], before: str, after: str) -> str | None:
        names = [self._spelt(part) for part in parts]
        return f"{before}{between.join(map(str, names))}{after}" if None not in names else None
