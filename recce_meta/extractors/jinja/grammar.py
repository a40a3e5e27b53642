"""dbt's Jinja: its own blocks, as a parser that yields the syntax tree."""

from __future__ import annotations

from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser


class DbtBlocks(Extension):
    """`snapshot`, `test`, `data_test`, `materialization` and `docs`."""

    tags = {"snapshot", "test", "data_test", "materialization", "docs"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        """A snapshot is a scope that is run; of the others nothing is, until dbt calls them."""
        token = next(parser.stream)
        name = parser.parse_assign_target(name_only=True).name
        if token.value == "snapshot":
            body = parser.parse_statements(("name:endsnapshot",), drop_needle=True)
            return nodes.Scope(body, lineno=token.lineno)
        macro = nodes.Macro(lineno=token.lineno)
        macro.name, macro.args, macro.defaults = f"{token.value} {name}", [], []
        if token.value == "materialization":
            while parser.stream.skip_if("comma"):
                parser.parse_expression() if parser.stream.look().type != "assign" else _skip_keyword(parser)
        elif token.value != "docs":
            parser.parse_signature(macro)
        macro.body = parser.parse_statements((f"name:end{token.value}",), drop_needle=True)
        return macro


def _skip_keyword(parser: Parser) -> None:
    parser.stream.skip(2)
    parser.parse_expression()


ENVIRONMENT = Environment(
    extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", DbtBlocks], cache_size=0, autoescape=False
)
"""Only ever asked to parse: nothing is compiled or run by it."""
