"""Operators, methods and filters that could make something endless, asked for its size beforehand."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import wraps
from string import Formatter
from types import BuiltinMethodType, FunctionType, MethodType
from typing import Any

from recce_meta.errors import TemplateError
from recce_meta.render.budget import LARGEST_NUMBER_BITS, LARGEST_RANGE, LARGEST_REPEAT, Budget

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "**": operator.pow,
    "%": operator.mod,
}
BINARY = frozenset(_OPERATORS)

_PADDING = frozenset(["center", "ljust", "rjust", "zfill", "expandtabs"])
_CHANGES = frozenset(["append", "insert", "add", "pop", "get", "clear", "keys", "values", "items"])
"""Methods of containers that do not read the whole of it."""
_PADDING_FILTERS = frozenset(
    ["batch", "center", "indent", "slice", "tojson", "truncate", "wordwrap", "round"]
)
_SLOW_FILTERS = frozenset(["striptags", "title", "urlize", "wordcount", "wordwrap", "xmlattr", "pprint"])
_TAKING_APART = frozenset(["batch", "list", "map", "reverse", "select", "slice", "sort", "unique", "reject"])
_SLOW_TEXT = 20_000
_REMOVED_FILTERS = frozenset(["attr"])
"""`attr` is a second way to an attribute; dbt's documentation does not have it."""
_SPECIFIERS = re.compile(r"%(?:\([^)]*\))?[#0\- +]*(\*|\d*)(?:\.(\*|\d*))?")


def apply(budget: Budget, symbol: str, left: Any, right: Any) -> Any:
    """`left symbol right`."""
    budget.spend()
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        _check_number(symbol, left, right)
    elif symbol == "*":
        _check_repeat(budget, left, right)
    elif symbol == "%" and isinstance(left, str):
        _check_percent(budget, left, right)
    else:
        budget.weigh(left)
        budget.weigh(right)
    result = _OPERATORS[symbol](left, right)
    return without_address(result) if symbol == "%" else result


def _check_number(symbol: str, left: float, right: float) -> None:
    """Raise where the result is a number of thousands of digits."""
    if not isinstance(left, int) or not isinstance(right, int):
        return
    bits = 0
    if symbol == "*":
        bits = left.bit_length() + right.bit_length()
    elif symbol == "**":
        bits = left.bit_length() * max(right, 0)
    if bits > LARGEST_NUMBER_BITS:
        raise TemplateError(
            f"The result of {symbol} is too large a number",
            name=symbol,
            hint="let the warehouse calculate it",
        )


def _check_repeat(budget: Budget, left: Any, right: Any) -> None:
    sequence, times = (right, left) if isinstance(left, int) else (left, right)
    if isinstance(times, int) and isinstance(sequence, (str, list, tuple)):
        times = max(times, 0)
        budget.hold(budget.size(sequence) * times)
        budget.check_items(len(sequence) * times if not isinstance(sequence, str) else 0)


def _check_percent(budget: Budget, template: str, values: Any) -> None:
    for width, precision in _SPECIFIERS.findall(template):
        if "*" in (width, precision) or any(
            digits and int(digits[:9]) > LARGEST_REPEAT for digits in (width, precision)
        ):
            raise _too_wide("%")
    budget.hold(len(template) + template.count("%") * budget.size(values))


def _too_wide(name: str) -> TemplateError:
    return TemplateError(
        f"A width of more than {LARGEST_REPEAT:,} characters in '{name}'", name=name, hint="pad to less"
    )


def call_method(
    budget: Budget, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """The result of a method of text or of a container, its size asked for beforehand."""
    owner, name = method.__self__, method.__name__  # type: ignore[attr-defined]
    if isinstance(owner, str):
        return _call_text_method(budget, owner, name, method, args, kwargs)
    if isinstance(owner, (list, dict, set, tuple)):
        if name not in _CHANGES:
            budget.weigh(owner)
        if name in ("extend", "update") and args and hasattr(args[0], "__len__"):
            budget.check_items(len(owner) + len(args[0]))
    return method(*args, **kwargs)


def _call_text_method(
    budget: Budget,
    text: str,
    name: str,
    method: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    without_address(text)
    if name in _PADDING:
        if any(isinstance(value, int) and value > LARGEST_REPEAT for value in (*args, *kwargs.values())):
            raise _too_wide(name)
        if name == "expandtabs":
            budget.hold(text.count("\t") * LARGEST_REPEAT)
    elif name == "replace" and len(args) > 1 and isinstance(args[0], str) and isinstance(args[1], str):
        budget.hold(text.count(args[0]) * len(args[1]))
    elif name == "join" and args:
        items = args[0] if isinstance(args[0], (list, tuple)) else list(args[0])
        budget.hold(len(text) * len(items) + budget.size(items))
        return text.join(items)
    elif name in ("split", "rsplit", "splitlines"):
        budget.check_items(len(text) // 2)
    elif name in ("format", "format_map"):
        return without_address(
            format_text(budget, text, *((), args[0]) if name == "format_map" else (args, kwargs))
        )
    budget.weigh(text)
    return method(*args, **kwargs)


class _BoundedFormatter(Formatter):
    """`str.format` without attributes, items or wide padding."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        if not re.fullmatch(r"\w*", field_name):
            raise TemplateError(
                f"'{{{field_name}}}' in a format reads inside a value",
                name="format",
                hint="give the value itself as an argument of format()",
            )
        return super().get_field(field_name, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> Any:
        if any(int(digits[:9]) > LARGEST_REPEAT for digits in re.findall(r"\d+", format_spec)):
            raise _too_wide("format")
        return super().format_field(value, format_spec)


def format_text(budget: Budget, text: str, args: Any, kwargs: Mapping[str, Any]) -> str:
    """`text.format(*args, **kwargs)`."""
    values = [*args, *kwargs.values()]
    budget.hold(len(text) + text.count("{") * sum(budget.size(value) for value in values))
    return _BoundedFormatter().vformat(text, args, kwargs)


def bounded_range(*args: int) -> range:
    """`range`, of as many numbers as Jinja's sandbox gives."""
    numbers = range(*args)
    if len(numbers) > LARGEST_RANGE:
        raise TemplateError(
            f"range() of {len(numbers):,} numbers; a template has at most {LARGEST_RANGE:,}",
            name="range",
            hint="let the warehouse generate rows",
        )
    return numbers


FUNCTIONS = (FunctionType, MethodType, BuiltinMethodType, type)
_WRITING_FILTERS = frozenset(
    "capitalize center e escape forceescape format indent lower replace safe string striptags title"
    " trim truncate upper urlencode urlize wordcount wordwrap xmlattr pprint join".split()
)
"""Filters that take whatever they are given as text."""


def written_function(function: Any) -> TemplateError:
    """That a function stands where a text should: its text would be an address in memory."""
    return TemplateError(
        f"'{function.__name__}' is written without being called",
        name=function.__name__,
        hint=f"call it: {function.__name__}(…)",
    )


_TEXTS = (int, float, bool, type(None))
ADDRESS = re.compile(
    r"(?:<|&lt;|%3C)([^\n]{1,200}?)(?: |%20|\+)at(?: |%20|\+)0x[0-9a-f]{6,}(?:>|&gt;|%3E)", re.I
)
"""The text that Python gives to an object without one of its own, such as a generator; also if escaped."""


def without_address(value: Any) -> Any:
    """Return *value*, or raise TemplateError if its text holds the address of an object in memory."""
    text = value if isinstance(value, str) else "" if isinstance(value, _TEXTS) else str(value)
    found = ADDRESS.search(text) if "0x" in text or "0X" in text else None
    if found is None:
        return value
    raise TemplateError(
        f"A value without text is written: {found[1]}",
        hint="call a function, and write the members of another value: … | list, or … | join(', ')",
    )


def bounded_filters(
    filters: Mapping[str, Callable[..., Any]], budget: Callable[[], Budget]
) -> dict[str, Any]:
    """*filters*, each asking *budget* before it runs."""
    return {
        name: _bounded_filter(name, function, budget)
        for name, function in filters.items()
        if name not in _REMOVED_FILTERS
    }


def _bounded_filter(
    name: str, function: Callable[..., Any], budget: Callable[[], Budget]
) -> Callable[..., Any]:
    first = 1 if getattr(function, "jinja_pass_arg", None) is not None else 0
    pads = name in _PADDING_FILTERS
    is_slow = name in _SLOW_FILTERS

    @wraps(function)  # carries Jinja's mark that it wants the context or the environment
    def bounded(*args: Any, **kwargs: Any) -> Any:
        left = budget()
        left.spend()
        given = (*args[first:], *kwargs.values())
        if name in _WRITING_FILTERS and given and isinstance(given[0], FUNCTIONS):
            raise written_function(given[0])
        if name in _WRITING_FILTERS and given:
            without_address(given[0])
        for value in given:
            left.weigh(value)
        if pads and any(isinstance(value, int) and value > LARGEST_REPEAT for value in given[1:]):
            raise _too_wide(name)
        if is_slow and any(left.size(value) > _SLOW_TEXT for value in given):
            raise TemplateError(f"Too much text for the filter '{name}'", name=name)
        _check_filter(left, name, given)
        return function(*args, **kwargs)

    return bounded


def _check_filter(budget: Budget, name: str, given: tuple[Any, ...]) -> None:
    """Ask for the size of what a filter multiplies."""
    value = given[0] if given else None
    if name in _TAKING_APART and isinstance(value, str):
        budget.check_items(len(value))
    elif name == "sum" and len(given) > 1 and not isinstance(given[-1], (int, float, str)):
        budget.spend(_length(value) ** 2)
    elif name == "replace" and len(given) > 2 and isinstance(given[1], str) and isinstance(given[2], str):
        budget.hold(str(value).count(given[1]) * len(given[2]))
    elif name == "join" and len(given) > 1:
        budget.hold(_length(value) * budget.size(given[1]))
    elif name == "format" and isinstance(value, str):
        _check_percent(budget, value, list(given[1:]))
    elif name == "indent" and isinstance(value, str):
        width = given[1] if len(given) > 1 else 4
        budget.hold((value.count("\n") + 1) * (len(width) if isinstance(width, str) else 4))
        if isinstance(width, int):
            budget.hold((value.count("\n") + 1) * width)


def _length(value: Any) -> int:
    return len(value) if hasattr(value, "__len__") else 0
