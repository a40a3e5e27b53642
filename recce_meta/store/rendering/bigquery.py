"""BigQuery. A schema is a dataset of the connection's own project."""

from __future__ import annotations

from types import MappingProxyType

from sqlglot import exp

from recce_meta.store.rendering.base import NULLABLE_JSON_COLUMNS, Translation, call


class BigqueryRendering(Translation):
    """Keys are stated and not enforced; tables are clustered by what they are read by."""

    dialect = "bigquery"
    has_keys = True
    key_options = ("NOT ENFORCED",)
    must_say_where = True
    sorts_nulls_as_small = True
    types = MappingProxyType({"VARCHAR": "STRING", "JSONB": "JSON"})

    def in_lines(self, value: exp.Expr, lines: exp.Expr) -> exp.Expr:
        split = call("SPLIT", lines, call("CHR", exp.Literal.number(10)))
        return exp.In(this=value, unnest=exp.Unnest(expressions=[split]))

    def json_text(self, value: exp.Expr) -> exp.Expr:
        text = call("TO_JSON_STRING", value)
        # NULL becomes the text 'null'
        return (
            call("NULLIF", text, exp.Literal.string("null")) if value.name in NULLABLE_JSON_COLUMNS else text
        )

    def json_member(self, value: exp.Expr, key: str) -> exp.Expr:
        return call("JSON_QUERY", value, exp.Literal.string(f"$.{key}"))

    def json_member_text(self, value: exp.Expr, key: str) -> exp.Expr:
        return call("JSON_VALUE", value, exp.Literal.string(f"$.{key}"))

    def rewrite(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Interval):  # takes a whole number, and no text
            node.set("this", exp.Literal.number(node.this.name))
        return super().rewrite(node)

    def joined(self, node: exp.GroupConcat) -> exp.Expr:
        for ordered in node.find_all(exp.Ordered):
            ordered.set("nulls_first", True)  # STRING_AGG takes no NULLS LAST, and leaves NULLs out
        return node

    def limit(self, most: exp.Expr) -> exp.Expr:
        return most.this if isinstance(most, exp.Cast) else most

    def lay_out(self, table: exp.Create, key: list[str]) -> None:
        super().lay_out(table, key)
        if key:
            cluster = exp.Cluster(expressions=[exp.column(key[0])])
            table.set("properties", exp.Properties(expressions=[cluster]))
