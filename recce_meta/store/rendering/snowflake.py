"""Snowflake. Names stand unquoted, so that they fold to upper case as a user's own do."""

from __future__ import annotations

from types import MappingProxyType

from sqlglot import exp

from recce_meta.store.rendering.base import Translation, call


class SnowflakeRendering(Translation):
    """JSON is VARIANT; keys are stated and not enforced, and the planner does not rely on them."""

    dialect = "snowflake"
    has_keys = True
    types = MappingProxyType({"JSON": "VARIANT", "JSONB": "VARIANT"})

    def in_lines(self, value: exp.Expr, lines: exp.Expr) -> exp.Expr:
        split = call("SPLIT", lines, call("CHR", exp.Literal.number(10)))
        argument = exp.Kwarg(this=exp.var("INPUT"), expression=split)
        lines_table = exp.Table(
            this=call("TABLE", call("FLATTEN", argument)),
            alias=exp.TableAlias(this=exp.to_identifier("line")),
        )
        return exp.In(this=value, query=exp.select("CAST(line.value AS TEXT)").from_(lines_table).subquery())

    def json_text(self, value: exp.Expr) -> exp.Expr:
        return call("TO_JSON", value)

    def json_member(self, value: exp.Expr, key: str) -> exp.Expr:
        return call("GET_PATH", value, exp.Literal.string(key))

    def json_member_text(self, value: exp.Expr, key: str) -> exp.Expr:
        return exp.cast(self.json_member(value, key), "text")

    def recursive(self, union: exp.Union) -> None:
        """https://docs.snowflake.com/en/sql-reference/constructs/with: its columns have to be named."""
        super().recursive(union)
        if isinstance(cte := union.parent, exp.CTE):
            names = [exp.to_identifier(name) for name in union.left.named_selects]
            cte.args["alias"].set("columns", names)

    def limit(self, most: exp.Expr) -> exp.Expr:
        return most.this if isinstance(most, exp.Cast) else most
