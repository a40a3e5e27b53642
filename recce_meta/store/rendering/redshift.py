"""Redshift: PostgreSQL 8 with other types, and JSON as SUPER."""

from __future__ import annotations

from types import MappingProxyType

from sqlglot import exp

from recce_meta.store.rendering.base import (
    NULLABLE_JSON_COLUMNS,
    Translation,
    call,
    is_json_column,
    is_recursive,
)


class RedshiftRendering(Translation):
    """No key is stated: the planner would rely on it, and nothing enforces it."""

    dialect = "redshift"
    has_distinct_from = False
    # https://docs.aws.amazon.com/redshift/latest/dg/c_Reserved_words.html
    reserved = frozenset(("language",))
    # https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html: TEXT is VARCHAR(256)
    types = MappingProxyType({"TEXT": "VARCHAR(65535)", "JSON": "SUPER", "JSONB": "SUPER"})

    def rewrite(self, node: exp.Expr) -> exp.Expr:
        """JSON that is selected comes as it is: JSON_SERIALIZE gives 65,535 bytes at most, and no NULL."""
        if isinstance(node, exp.Cast) and is_json_column(node.this) and isinstance(node.parent, exp.Alias):
            column: exp.Expr = node.this.copy()
            return column
        if isinstance(node, exp.CTE) and is_recursive(node.this):
            # https://docs.aws.amazon.com/redshift/latest/dg/r_WITH_clause.html: its columns must be named
            names = [exp.to_identifier(name) for name in node.this.named_selects]
            node.args["alias"].set("columns", names)
        return super().rewrite(node)

    def in_lines(self, value: exp.Expr, lines: exp.Expr) -> exp.Expr:
        split = exp.alias_(call("SPLIT_TO_ARRAY", lines, call("CHR", exp.Literal.number(10))), "lines")
        query = (
            exp.select("CAST(line AS TEXT)")
            .from_(exp.select(split).subquery("split"))
            .join(exp.to_table("split.lines", alias="line"))
        )
        return exp.In(this=value, query=query.subquery())

    def json_text(self, value: exp.Expr) -> exp.Expr:
        text = call("JSON_SERIALIZE", value)
        # NULL becomes the text 'null'
        return (
            call("NULLIF", text, exp.Literal.string("null")) if value.name in NULLABLE_JSON_COLUMNS else text
        )

    def json_member(self, value: exp.Expr, key: str) -> exp.Expr:
        return exp.Dot(this=value, expression=exp.to_identifier(key))

    def json_member_text(self, value: exp.Expr, key: str) -> exp.Expr:
        return exp.cast(self.json_member(value, key), "text")

    def starts_with(self, node: exp.StartsWith) -> exp.Expr:
        start = node.expression
        return exp.EQ(this=call("LEFT", node.this, call("LENGTH", start.copy())), expression=start)

    def joined(self, node: exp.GroupConcat) -> exp.Expr:
        return listagg(node)

    def limit(self, most: exp.Expr) -> exp.Expr:
        return most.this if isinstance(most, exp.Cast) else most


def listagg(node: exp.GroupConcat) -> exp.Expr:
    """LISTAGG … WITHIN GROUP, for which sqlglot has another order in this dialect."""
    order = node.this
    if not isinstance(order, exp.Order):
        return node
    value = order.this
    order.set("this", None)
    return exp.WithinGroup(this=call("LISTAGG", value, node.args["separator"]), expression=order)
