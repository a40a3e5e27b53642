"""Sandbox for templates of profiles.yml in which no loop, operator, filter or method can take for ever.

Python cannot be interrupted within one operation, so an operation that would be large is refused before it
starts. Values of a connection need none of it: the limits are far above what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateRuntimeError
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

STEPS = 20_000
"""Iterations, calls, filters and operators of one value."""
LARGEST_WIDTH = 10_000
"""Largest number given to a filter, a method or a format: most of them pad or repeat."""
LARGEST_TEXT = 1_000_000
"""Most characters that one operation may make."""
LARGEST_NUMBER_BITS = 4_096

_WIDTH = re.compile(r"\d{5}|\*")
"""A width in a format that is too large, or that a value sets."""
_LOOP, _MUL, _POW, _MOD = (f"recce_meta_{name}" for name in ("loop", "mul", "pow", "mod"))
"""Filters that stand in a template for what they check. A filter of constants is computed when a template is
compiled, as an operator is: an expression of constants becomes text."""


class BoundedEnvironment(SandboxedEnvironment):
    """Jinja's sandbox with a limit on the work of one rendering."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._left = STEPS

    def bound(self) -> None:
        """Bound the filters that are known now, and loops."""
        self.filters = {name: self._bounded(function) for name, function in self.filters.items()}
        self.filters |= {_LOOP: self._counted, _MUL: self._mul, _POW: self._pow, _MOD: self._mod}

    def begin(self) -> None:
        """Begin the rendering of another value."""
        self._left = STEPS

    def _generate(self, source: nodes.Template, *arguments: Any, **options: Any) -> str:
        return super()._generate(_Checked().visit(source), *arguments, **options)

    def _counted(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self._spend()
            yield value

    def _mul(self, left: Any, right: Any) -> Any:
        self._check_size(_size(left) * _size(right) if _has_length(left) or _has_length(right) else 0)
        self._check_bits(_bits(left) + _bits(right))
        return left * right

    def _pow(self, left: Any, right: Any) -> Any:
        self._check_bits(_bits(left) * right if isinstance(right, int) else 0)
        return left**right

    def _mod(self, left: Any, right: Any) -> Any:
        if isinstance(left, str):
            self._check_format(left, right if isinstance(right, tuple) else (right,))
        return left % right

    def call(self, context: Any, function: Any, *given: Any, **named: Any) -> Any:
        """Call *function* unless its result would be large."""
        # The sandbox wraps some methods of text.
        owner = getattr(getattr(function, "__wrapped__", function), "__self__", None)
        values = (*([owner] if isinstance(owner, (str, list)) else []), *given, *named.values())
        if isinstance(owner, str) and getattr(function, "__name__", "") in ("format", "format_map"):
            self._check_format(owner, given)
        self._check(values)
        return super().call(context, function, *given, **named)

    def _bounded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def bounded(*given: Any, **named: Any) -> Any:
            self._check((*given, *named.values()))
            for text in given[:2]:  # some filters get the context first
                if isinstance(text, str) and getattr(function, "__name__", "") == "do_format":
                    self._check_format(text, ())
            return function(*given, **named)

        # Jinja reads from a mark of the function if it gets the environment or the context.
        bounded.__dict__.update(getattr(function, "__dict__", {}))
        return bounded

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise TemplateRuntimeError(f"The template takes more than {STEPS:,} steps")

    def _check(self, values: Iterable[Any]) -> None:
        """Refuse arguments from which a filter or a method could make something large."""
        self._spend()
        texts = sorted((len(value) for value in values if _has_length(value)), reverse=True)
        self._check_size(texts[0] * max(1, texts[1]) if len(texts) > 1 else sum(texts))
        numbers = (value for value in values if isinstance(value, int))
        self._check_size(LARGEST_TEXT + 1 if any(abs(number) > LARGEST_WIDTH for number in numbers) else 0)

    def _check_format(self, text: str, values: Iterable[Any]) -> None:
        self._check_size(LARGEST_TEXT + 1 if _WIDTH.search(text) else 0)
        self._check_size(len(text) * max((_size(value) for value in values), default=1))

    def _check_size(self, characters: int) -> None:
        if characters > LARGEST_TEXT:
            raise TemplateRuntimeError(f"A value would have more than {LARGEST_TEXT:,} characters")

    def _check_bits(self, bits: int) -> None:
        if bits > LARGEST_NUMBER_BITS:
            raise TemplateRuntimeError(f"A number would have more than {LARGEST_NUMBER_BITS:,} bits")


class _Checked(NodeTransformer):
    """Transformation of a template: its loops and operators go through the checks."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        """Count the iterations of a loop."""
        self.generic_visit(node)
        node.iter = _filter(node.iter, _LOOP)
        return node

    def visit_Mul(self, node: nodes.Mul) -> nodes.Node:
        """Check a product."""
        return self._operator(node, _MUL)

    def visit_Pow(self, node: nodes.Pow) -> nodes.Node:
        """Check a power."""
        return self._operator(node, _POW)

    def visit_Mod(self, node: nodes.Mod) -> nodes.Node:
        """Check a format."""
        return self._operator(node, _MOD)

    def _operator(self, node: nodes.BinExpr, name: str) -> nodes.Node:
        self.generic_visit(node)
        return _filter(node.left, name, node.right)


def _filter(value: nodes.Expr, name: str, *given: nodes.Expr) -> nodes.Filter:
    made = nodes.Filter(value, name, [*given], [], None, None, lineno=value.lineno)
    return made.set_environment(value.environment)  # type: ignore[return-value]


def _has_length(value: object) -> bool:
    return isinstance(value, (str, list, tuple, dict))


def _size(value: Any) -> int:
    """Return how many times as large a product with *value* can be."""
    if _has_length(value):
        return max(1, len(value))
    return max(1, min(abs(value), LARGEST_TEXT + 1)) if isinstance(value, int) else 1


def _bits(value: object) -> int:
    return value.bit_length() if isinstance(value, int) else 0
