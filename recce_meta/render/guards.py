"""dbt's own tags, and marks in a parsed template where the sandbox must look at a value.

Jinja compiles loops, `~`, comparisons and slices to plain Python, which nothing can intercept. A filter
of our own around their operands, with a name that no template can write, counts them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from recce_meta.errors import TemplateError

EACH = "each item of"
WEIGHED = "the weight of"

_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


def guard(template: nodes.Template) -> nodes.Template:
    """*template* with every loop, `~`, comparison, slice and dictionary key marked."""
    for node in template.find_all(_FILES):
        raise TemplateError(
            f"Another template cannot be read ({type(node).__name__.lower()})",
            line=node.lineno,
            name=type(node).__name__.lower().removeprefix("from"),
            hint="dbt has no such tag: write a macro",
        )
    for loop in template.find_all(nodes.For):
        loop.iter = _marked(EACH, loop.iter)
    for concat in template.find_all(nodes.Concat):
        concat.nodes = [_weighed(part) for part in concat.nodes]
    for comparison in template.find_all(nodes.Compare):
        comparison.expr = _weighed(comparison.expr)
        for operand in comparison.ops:
            operand.expr = _weighed(operand.expr)
    for item in template.find_all(nodes.Getitem):
        if isinstance(item.arg, nodes.Slice):
            item.node = _weighed(item.node)
    for pair in template.find_all(nodes.Pair):
        pair.key = _weighed(pair.key)
    return template


def _weighed(node: nodes.Expr) -> nodes.Expr:
    return node if isinstance(node, nodes.Const) else _marked(WEIGHED, node)


def _marked(mark: str, node: nodes.Expr | nodes.Node) -> nodes.Expr:
    return nodes.Filter(node, mark, [], [], None, None, lineno=node.lineno, environment=node.environment)


class TestTag(Extension):
    """`{% test name(model) %}`: a macro named `test_name`, as dbt's manifest names it."""

    tags: ClassVar[set[str]] = {"test", "data_test"}

    def parse(self, parser: Parser) -> nodes.Node:
        """The macro that the tag is."""
        token = next(parser.stream)
        macro = nodes.Macro(lineno=token.lineno)
        macro.name = f"test_{parser.parse_assign_target(name_only=True).name}"
        parser.parse_signature(macro)
        macro.body = parser.parse_statements((f"name:end{token.value}",), drop_needle=True)
        return macro


class SnapshotTag(Extension):
    """`{% snapshot name %}`: its query, as if the tag were not there."""

    tags: ClassVar[set[str]] = {"snapshot"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The query."""
        next(parser.stream)
        parser.parse_assign_target(name_only=True)
        return parser.parse_statements(("name:endsnapshot",), drop_needle=True)


EXTENSIONS: list[Any] = ["jinja2.ext.do", "jinja2.ext.loopcontrols", TestTag, SnapshotTag]
"""`do`, `break` and `continue`, which dbt adds to Jinja, and dbt's own tags."""
