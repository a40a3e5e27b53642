"""Sandbox for templates of profiles.yml that stops each rendering at a budget.

Python cannot be interrupted within one operation, so an operation is charged with the size of its operands
before it starts. The budget is far above what the values of a connection need.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateRuntimeError
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

STEPS = 100_000
"""Iterations, calls, filters and operators of one value; 64 characters count as one more."""
LARGEST_NUMBER_BITS = 4_096

_FIELD = re.compile(r"(?:%|\{[^{}]*:)[^a-zA-Z%{}]*")
"""Start of a field of a format, with its width and precision."""
_NUMBER = re.compile(r"[1-9]\d*")
_KEEPING = frozenset(["default", "d", "float", "int", "string"])
"""Filters whose numbers are values; other filters may pad or repeat by a number."""
_PREFIX = "recce_meta_"
"""Start of the names of filters that stand in a template for what they charge. A filter of constants is
computed when a template is compiled, as an operator is."""


class BoundedEnvironment(SandboxedEnvironment):
    """Jinja's sandbox with a budget for one rendering."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._left = STEPS

    def bound(self, own_filters: Iterable[str]) -> None:
        """Charge for the filters that are known now, and for loops and operators."""
        keeping = _KEEPING.union(own_filters)
        self.filters = {
            name: self._bounded(function, has_widths=name not in keeping)
            for name, function in self.filters.items()
        }
        own = {"each": self._each, "mul": self._mul, "pow": self._pow, "mod": self._mod, "add": self._add}
        self.filters |= {f"{_PREFIX}{name}": function for name, function in own.items()}
        self.filters[f"{_PREFIX}text"] = self.charged

    def begin(self) -> None:
        """Begin the rendering of another value."""
        self._left = STEPS

    def charged(self, value: Any) -> Any:
        """Return *value*, which is about to become text, and charge for its length."""
        self._charge(_length(value))
        return value

    def call(self, context: Any, function: Any, *given: Any, **named: Any) -> Any:
        """Call *function* if the budget allows the largest result it may have."""
        # The sandbox wraps some methods of text.
        owner = getattr(getattr(function, "__wrapped__", function), "__self__", None)
        is_method = isinstance(owner, (str, bytes, list, dict, int))
        values = (*([owner] if is_method else []), *given, *named.values())
        if isinstance(owner, str) and getattr(function, "__name__", "") in ("format", "format_map"):
            self._charge(_width(owner))
        self._charge_for(values, has_widths=is_method)
        return super().call(context, function, *given, **named)

    def _generate(self, source: nodes.Template, *arguments: Any, **options: Any) -> str:
        return super()._generate(_Charged().visit(source), *arguments, **options)

    def _charge(self, characters: int = 0) -> None:
        self._left -= 1 + (characters >> 6)
        if self._left < 0:
            raise TemplateRuntimeError("The template is too expensive: it exceeds the budget of a value")

    def _charge_for(self, values: Iterable[Any], *, has_widths: bool) -> None:
        """Charge for arguments from which a filter or a method makes something."""
        values = tuple(values)
        lengths = sorted((_length(value) for value in values if not isinstance(value, int)), reverse=True)
        # A text may be repeated or inserted for each character of another one.
        self._charge(lengths[0] * max(1, lengths[1]) if len(lengths) > 1 else sum(lengths))
        if has_widths:
            widths = sum(abs(value) for value in values if isinstance(value, int))
            self._charge(widths * max(1, *lengths) if lengths else widths)

    def _bounded(self, function: Callable[..., Any], *, has_widths: bool) -> Callable[..., Any]:
        name = getattr(function, "__name__", "")

        def bounded(*given: Any, **named: Any) -> Any:
            # Some filters get the context or the environment first, which have no length.
            self._charge_for((*given, *named.values()), has_widths=has_widths)
            if name == "do_format" and isinstance(given[0], str):
                self._charge(_width(given[0], *given[1:]))
            elif "sum" in name:  # a sum of lists copies each sum
                self._charge(max(map(_length, given)) ** 2)
            return function(*given, **named)

        # Jinja reads from a mark of the function if it gets the environment or the context.
        bounded.__dict__.update(getattr(function, "__dict__", {}))
        return bounded

    def _each(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self._charge()
            yield value

    def _add(self, left: Any, right: Any) -> Any:
        self._charge(_length(left) + _length(right))
        return left + right

    def _mul(self, left: Any, right: Any) -> Any:
        if isinstance(left, int) and isinstance(right, int):
            self._check_bits(left.bit_length() + right.bit_length())
        else:
            self._charge(_times(left) * _times(right))
        return left * right

    def _pow(self, left: Any, right: Any) -> Any:
        if isinstance(left, int) and isinstance(right, int):
            self._check_bits(left.bit_length() * right)
        return left**right

    def _mod(self, left: Any, right: Any) -> Any:
        if isinstance(left, str):
            values = right if isinstance(right, tuple) else (right,)
            self._charge(_width(left, *values) + _length(right) * max(1, left.count("%")))
        return left % right

    @staticmethod
    def _check_bits(bits: int) -> None:
        if bits > LARGEST_NUMBER_BITS:
            raise TemplateRuntimeError(f"A number would have more than {LARGEST_NUMBER_BITS:,} bits")


class _Charged(NodeTransformer):
    """Transformation of a template: its loops, operators and outputs are charged."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        """Charge for the iterations of a loop."""
        self.generic_visit(node)
        node.iter = _filter(node.iter, "each")  # type: ignore[arg-type]
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        """Charge for the parts of a text."""
        self.generic_visit(node)
        node.nodes = [_filter(part, "text") for part in node.nodes]
        return node

    def visit_Add(self, node: nodes.Add) -> nodes.Node:
        """Charge for a sum, which may be of texts."""
        return self._operator(node, "add")

    def visit_Mul(self, node: nodes.Mul) -> nodes.Node:
        """Charge for a product."""
        return self._operator(node, "mul")

    def visit_Pow(self, node: nodes.Pow) -> nodes.Node:
        """Charge for a power."""
        return self._operator(node, "pow")

    def visit_Mod(self, node: nodes.Mod) -> nodes.Node:
        """Charge for a format."""
        return self._operator(node, "mod")

    def _operator(self, node: nodes.BinExpr, name: str) -> nodes.Node:
        self.generic_visit(node)
        return _filter(node.left, name, node.right)


def _filter(value: nodes.Expr, name: str, *given: nodes.Expr) -> nodes.Filter:
    made = nodes.Filter(value, f"{_PREFIX}{name}", [*given], [], None, None, lineno=value.lineno)
    made.environment = value.environment
    return made


def _width(text: str, *values: Any) -> int:
    """Return the largest width that the format *text* can pad to."""
    given = [abs(value) for value in values if isinstance(value, int)] if "*" in text else []
    fields = _FIELD.findall(text)
    widths = [int(digits[:12]) for field in fields for digits in _NUMBER.findall(field)]
    return max([0, *widths, *given]) * max(1, len(fields))


def _times(value: Any) -> int:
    return abs(value) if isinstance(value, int) else _length(value)


def _length(value: Any) -> int:
    """Return about how long *value* is as text; at most a little more than the budget allows."""
    found = 0
    waiting = [value]
    while waiting and found <= STEPS << 6:
        one = waiting.pop()
        if isinstance(one, (str, bytes)):
            found += len(one)
        elif isinstance(one, (list, tuple, set, frozenset)):
            found += 2
            waiting += one
        elif isinstance(one, dict):
            found += 2
            waiting += [*one, *one.values()]
        else:
            found += 8
    return found
