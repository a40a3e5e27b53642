"""dbt's own tags, and marks in a parsed template where the sandbox must look at a value.

Jinja compiles loops, `~`, comparisons and slices to plain Python, which nothing can intercept. A filter
of our own around their operands, with a name that no template can write, counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser

from recce_meta.errors import TemplateError
from recce_meta.render.budget import Budget

EACH = "each item of"
WEIGHED = "the weight of"
STEPS_PER_TOKEN = 16
"""About what a token costs, from text to compiled code, in steps of a loop."""


def guard(template: nodes.Template) -> nodes.Template:
    """*template* with every loop, `~`, comparison, slice and dictionary key marked."""
    pending: list[nodes.Node] = [template]
    while pending:
        node = pending.pop()
        # Looked at before it is marked: a mark is a node too.
        pending.extend(node.iter_child_nodes())
        mark = _MARKERS.get(type(node))
        if mark is not None:
            mark(node)
    return template


def _refuse_file(node: Any) -> NoReturn:
    tag = type(node).__name__.lower().removeprefix("from")
    raise TemplateError(
        f"Another template cannot be read ({tag})",
        line=node.lineno,
        name=tag,
        hint="dbt has no such tag: write a macro",
    )


def _mark_loop(node: nodes.For) -> None:
    node.iter = _marked(EACH, node.iter)


def _mark_concat(node: nodes.Concat) -> None:
    node.nodes = [_weighed(part) for part in node.nodes]


def _mark_comparison(node: nodes.Compare) -> None:
    node.expr = _weighed(node.expr)
    for operand in node.ops:
        operand.expr = _weighed(operand.expr)


def _mark_slice(node: nodes.Getitem) -> None:
    if isinstance(node.arg, nodes.Slice):
        node.node = _weighed(node.node)


def _mark_key(node: nodes.Pair) -> None:
    node.key = _weighed(node.key)


_MARKERS: Mapping[type[nodes.Node], Callable[[Any], None]] = {
    nodes.For: _mark_loop,
    nodes.Concat: _mark_concat,
    nodes.Compare: _mark_comparison,
    nodes.Getitem: _mark_slice,
    nodes.Pair: _mark_key,
    nodes.Include: _refuse_file,
    nodes.Import: _refuse_file,
    nodes.FromImport: _refuse_file,
    nodes.Extends: _refuse_file,
}


def _weighed(node: nodes.Expr) -> nodes.Expr:
    return node if isinstance(node, nodes.Const) else _marked(WEIGHED, node)


def _marked(mark: str, node: nodes.Expr | nodes.Node) -> nodes.Expr:
    return nodes.Filter(node, mark, [], [], None, None, lineno=node.lineno, environment=node.environment)


class TestTag(Extension):
    """`{% test name(model) %}`: a macro named `test_name`, as dbt's manifest names it."""

    tags = {"test", "data_test"}  # noqa: RUF012

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

    tags = {"snapshot"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The query."""
        next(parser.stream)
        parser.parse_assign_target(name_only=True)
        return parser.parse_statements(("name:endsnapshot",), drop_needle=True)


class CountedTokens(Extension):
    """Counts a template's tokens as steps, so that parsing and compiling it are within the budget too."""

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """The tokens of *stream*."""
        budget: Budget = self.environment.budget  # type: ignore[attr-defined]
        for token in stream:
            budget.spend(STEPS_PER_TOKEN)
            yield token


EXTENSIONS: list[Any] = ["jinja2.ext.do", "jinja2.ext.loopcontrols", TestTag, SnapshotTag, CountedTokens]
"""`do`, `break` and `continue`, which dbt adds to Jinja, and dbt's own tags."""
