"""Databricks."""

from __future__ import annotations

from types import MappingProxyType

from sqlglot import exp

from recce_meta.store.rendering.base import Translation, call

TABLE_PROPERTIES = {"delta.enableDeletionVectors": "false", "delta.isolationLevel": "Serializable"}
"""Of two who write to a table at once, one is refused, and tries again."""


class DatabricksRendering(Translation):
    """JSON is text, for VARIANT is not everywhere; no keys; tables are clustered by what they are read by.

    Nothing enforces keys, so that two writers of the same row must not both succeed. Row-level concurrency
    lets two MERGEs through that insert the same row: it is switched off with deletion vectors.
    https://docs.databricks.com/aws/en/optimizations/isolation/row-level-concurrency
    """

    dialect = "databricks"
    sorts_nulls_as_small = True
    types = MappingProxyType({"VARCHAR": "STRING", "JSON": "STRING", "JSONB": "STRING"})

    def in_lines(self, value: exp.Expr, lines: exp.Expr) -> exp.Expr:
        split = call("SPLIT", lines, call("CHR", exp.Literal.number(10)))
        return exp.In(this=value, query=exp.select(call("EXPLODE", split)).subquery())

    def json_text(self, value: exp.Expr) -> exp.Expr:
        return value

    def json_member(self, value: exp.Expr, key: str) -> exp.Expr:
        return self.json_member_text(value, key)

    def json_member_text(self, value: exp.Expr, key: str) -> exp.Expr:
        return call("GET_JSON_OBJECT", value, exp.Literal.string(f"$.{key}"))

    def limit(self, most: exp.Expr) -> exp.Expr:
        if not isinstance(most, exp.Cast):
            return most
        # An INTEGER: https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-qry-select-limit
        return exp.cast(call("LEAST", most.this, exp.Literal.number(2**31 - 1)), "int")

    def lay_out(self, table: exp.Create, key: list[str]) -> None:
        super().lay_out(table, key)
        properties: list[exp.Expr] = [
            exp.Property(this=exp.Literal.string(name), value=exp.Literal.string(value))
            for name, value in TABLE_PROPERTIES.items()
        ]
        if key:
            properties.insert(0, exp.Cluster(expressions=[exp.Tuple(expressions=[exp.column(key[0])])]))
        table.set("properties", exp.Properties(expressions=properties))
