"""Limits of one rendering on steps, characters and seconds, and the operations that check them.

Python cannot be interrupted inside one long operation, so no large operation may start: every loop,
call, filter and operator of a template first charges the budget with the size of its operands.
Containers are charged for their text length, because a deeply nested list of a few elements is small
in memory and huge as text.

A backtracking match cannot be stopped, so patterns for `modules.re` that may take exponential time are
rejected. The allowed length of the text depends on how many parts of the pattern can match texts of
different lengths.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from math import factorial
from string import Formatter
from time import monotonic
from types import BuiltinMethodType, FunctionType, MethodType
from typing import Any, ClassVar

from msgspec import Struct

from recce_meta.errors import TemplateError, quoted
from recce_meta.provisional import note_provisional
from recce_meta.render.objects import TemplateObject

LARGEST_REPEAT = 10_000
"""Maximum width to which a format, a filter or a method pads text."""
LARGEST_RANGE = 100_000
"""The limit of Jinja's own sandbox, which also applies in dbt."""
LARGEST_NUMBER_BITS = 4_096
SHORT = 200
"""Strings up to this length are not counted, because counting costs more than the strings."""
_LONG = 1_000
"""Longer strings also count as steps, so that the deadline is checked before the next one."""
_BETWEEN_CLOCKS = 256
_SPARE = 4

_CONTAINERS = frozenset([list, tuple, set, frozenset, dict])


class Limits(Struct, frozen=True, kw_only=True):
    """Maximum cost of one call of `render`."""

    seconds: float = 1.0
    steps: int = 1_000_000
    """Loop iterations, calls, filters and operators."""
    characters: int = 20_000_000
    """Total length of the text that is written or processed."""
    items: int = 500_000
    """Elements of one value, including those of nested values."""


class Budget:
    """Remaining budget of one rendering."""

    __slots__ = ("_characters", "_deadline", "_next_clock", "_paused", "_steps", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._steps = 0
        self._characters = 0
        self._next_clock = _BETWEEN_CLOCKS
        self._deadline = monotonic() + limits.seconds
        self._paused: float | None = None

    def spend(self, steps: int = 1) -> None:
        """Count *steps*; raise TemplateError if the steps or the time run out."""
        self._steps += steps
        # Reading the clock costs more than a step.
        if self._steps >= self._next_clock:
            self._next_clock = self._steps + _BETWEEN_CLOCKS
            if self._steps > self.limits.steps:
                raise self._exceeded(f"more than {self.limits.steps:,} steps")
            if monotonic() > self._deadline:
                note_provisional()
                raise self._exceeded(f"more than {self.limits.seconds:g} s")

    def hold(self, characters: int) -> None:
        """Count *characters* of text; call this before building a text that may be large."""
        self._characters += characters
        if characters > _LONG:
            # Copying text also takes time: 64 characters count as one step.
            self.spend(characters >> 6)
        if self._characters > self.limits.characters:
            raise self._exceeded(f"more than {self.limits.characters:,} characters")

    def check_items(self, count: int) -> None:
        """Raise TemplateError if *count* elements are too many for one value."""
        if count > self.limits.items:
            raise self._exceeded(f"a value of more than {self.limits.items:,} elements")

    def weigh(self, value: object) -> None:
        """Count the text length of *value*."""
        kind = type(value)
        if kind is str:
            if len(value) > SHORT:  # type: ignore[arg-type]
                self.hold(len(value))  # type: ignore[arg-type]
        elif kind in _CONTAINERS:
            self.hold(self.size(value))

    def size(self, value: object) -> int:
        """Return the approximate text length of *value*; raise TemplateError if it is too long."""
        if isinstance(value, str):
            return len(value)
        if type(value) not in _CONTAINERS:
            return 8
        # An explicit stack, because a template can nest lists deeper than Python recurses. A list that
        # contains itself ends at the limit on elements.
        count = characters = 0
        pending = [value]
        while pending:
            container = pending.pop()
            children = [*container, *container.values()] if isinstance(container, dict) else container
            count += len(children)  # type: ignore[arg-type]
            self.check_items(count)
            for child in children:  # type: ignore[attr-defined]
                if type(child) is str:
                    characters += len(child)
                elif type(child) in _CONTAINERS:
                    pending.append(child)
        self.spend(count >> 4)
        if characters > self.limits.characters:
            raise self._exceeded(f"more than {self.limits.characters:,} characters")
        return characters + 2 * count

    @property
    def is_spent(self) -> bool:
        """True if any limit is exceeded."""
        limits = self.limits
        return (
            self._steps > limits.steps or self._characters > limits.characters or monotonic() > self._deadline
        )

    def spare(self) -> Budget:
        """Return a separate budget with a fraction of this budget's limits."""
        limits = self.limits
        return Budget(
            Limits(
                seconds=limits.seconds / _SPARE,
                steps=limits.steps // _SPARE,
                characters=limits.characters // _SPARE,
                items=limits.items,
            )
        )

    def pause(self) -> None:
        """Stop the clock until `resume` is called."""
        self._paused = monotonic()

    def resume(self) -> None:
        """Restart the clock after `pause`."""
        if self._paused is not None:
            self._deadline += monotonic() - self._paused
            self._paused = None

    @staticmethod
    def _exceeded(what: str) -> TemplateError:
        return TemplateError(
            f"The template exceeds a limit: {what}",
            hint="reduce large loops or repetitions, or raise the limits with limits= in Python",
        )


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
"""Container methods that do not read the whole container."""
_PADDING_FILTERS = frozenset(
    ["batch", "center", "indent", "slice", "tojson", "truncate", "wordwrap", "round"]
)
_SLOW_FILTERS = frozenset(["striptags", "title", "urlize", "wordcount", "wordwrap", "xmlattr", "pprint"])
_TAKING_APART = frozenset(["batch", "list", "map", "reverse", "select", "slice", "sort", "unique", "reject"])
_SLOW_TEXT = 20_000
_REMOVED_FILTERS = frozenset(["attr"])
"""`attr` is a second way to read an attribute and is not documented by dbt."""
_SPECIFIERS = re.compile(r"%(?:\([^)]*\))?[#0\- +]*(\*|\d*)(?:\.(\*|\d*))?")


def apply(budget: Budget, symbol: str, left: Any, right: Any) -> Any:
    """Return `left symbol right`, after checking its size."""
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
    """Raise TemplateError if the result has thousands of digits."""
    if not isinstance(left, int) or not isinstance(right, int):
        return
    bits = 0
    if symbol == "*":
        bits = left.bit_length() + right.bit_length()
    elif symbol == "**":
        # An upper bound, available before the number is computed.
        bits = left.bit_length() * max(right, 0)
    if bits > LARGEST_NUMBER_BITS:
        raise TemplateError(
            f"The result of '{symbol}' is too large",
            name=symbol,
            hint="calculate it in the warehouse",
        )


def _check_repeat(budget: Budget, left: Any, right: Any) -> None:
    sequence, times = (right, left) if isinstance(left, int) else (left, right)
    if isinstance(times, int) and isinstance(sequence, (str, list, tuple)):
        times = max(times, 0)
        budget.hold(budget.size(sequence) * times)
        budget.check_items(len(sequence) * times if not isinstance(sequence, str) else 0)


def _check_percent(budget: Budget, template: str, values: Any) -> None:
    for width, precision in _SPECIFIERS.findall(template):
        # `*` takes the width from a value. Of a literal width, nine digits are enough to exceed the limit,
        # and `int` of thousands of digits is slow.
        if "*" in (width, precision) or any(
            digits and int(digits[:9]) > LARGEST_REPEAT for digits in (width, precision)
        ):
            raise _too_wide("%")
    budget.hold(len(template) + template.count("%") * budget.size(values))


def _too_wide(name: str) -> TemplateError:
    return TemplateError(
        f"Width in '{name}' exceeds {LARGEST_REPEAT:,} characters", name=name, hint="use a smaller width"
    )


def call_method(
    budget: Budget, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call a method of a string or container, after checking the size of its result."""
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
        # A generator can be read only once, so the counted list is joined in its place.
        items = args[0] if isinstance(args[0], (list, tuple)) else list(args[0])
        budget.hold(len(text) * len(items) + budget.size(items))
        return text.join(items)
    elif name in ("split", "rsplit", "splitlines"):
        # Text of one word and one separator in turn has the most parts.
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
                f"'{{{field_name}}}' in a format reads an attribute or item of a value",
                name="format",
                hint="pass the value itself as an argument of format()",
            )
        return super().get_field(field_name, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> Any:
        if any(int(digits[:9]) > LARGEST_REPEAT for digits in re.findall(r"\d+", format_spec)):
            raise _too_wide("format")
        return super().format_field(value, format_spec)


def format_text(budget: Budget, text: str, args: Any, kwargs: Mapping[str, Any]) -> str:
    """Return `text.format(*args, **kwargs)`, after checking its size."""
    values = [*args, *kwargs.values()]
    budget.hold(len(text) + text.count("{") * sum(budget.size(value) for value in values))
    return _BoundedFormatter().vformat(text, args, kwargs)


def bounded_range(*args: int) -> range:
    """Return a `range`, limited to the length that Jinja's sandbox allows."""
    numbers = range(*args)
    if len(numbers) > LARGEST_RANGE:
        raise TemplateError(
            f"range() of {len(numbers):,} numbers exceeds the limit of {LARGEST_RANGE:,}",
            name="range",
            hint="generate the rows in the warehouse",
        )
    return numbers


FUNCTIONS = (FunctionType, MethodType, BuiltinMethodType, type)
_WRITING_FILTERS = frozenset(
    "capitalize center e escape forceescape format indent lower replace safe string striptags title"
    " trim truncate upper urlencode urlize wordcount wordwrap xmlattr pprint join".split()
)
"""Filters that convert their input to text."""


def written_function(function: Any) -> TemplateError:
    """Return the error for a function written as text, which would be an address in memory."""
    return TemplateError(
        f"'{function.__name__}' is written without being called",
        name=function.__name__,
        hint=f"call it: {function.__name__}(…)",
    )


_TEXTS = (int, float, bool, type(None))
ADDRESS = re.compile(
    r"(?:<|&lt;|%3C)([^\n]{1,200}?)(?: |%20|\+)at(?: |%20|\+)0x[0-9a-f]{6,}(?:>|&gt;|%3E)", re.I
)
"""Python's default text of an object, such as a generator; also if escaped."""


def without_address(value: Any) -> Any:
    """Return *value*, or raise TemplateError if its text holds the address of an object in memory."""
    text = value if isinstance(value, str) else "" if isinstance(value, _TEXTS) else str(value)
    # The search is slow, and hardly any text needs it.
    found = ADDRESS.search(text) if "0x" in text or "0X" in text else None
    if found is None:
        return value
    raise TemplateError(
        f"A value has no text form: {found[1]}",
        hint="call it if it is a function, else write its elements: … | list, or … | join(', ')",
    )


def bounded_filters(
    filters: Mapping[str, Callable[..., Any]], budget: Callable[[], Budget]
) -> dict[str, Any]:
    """Return *filters*, each checking *budget* before it runs."""
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

    @wraps(function)  # copies Jinja's marker for filters that take the context or the environment
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
            raise TemplateError(f"Text is too long for the filter '{name}'", name=name)
        _check_filter(left, name, given)
        return function(*args, **kwargs)

    return bounded


def _check_filter(budget: Budget, name: str, given: tuple[Any, ...]) -> None:
    """Charge the budget for filters that multiply their input."""
    value = given[0] if given else None
    if name in _TAKING_APART and isinstance(value, str):
        budget.check_items(len(value))
    elif name == "sum" and len(given) > 1 and not isinstance(given[-1], (int, float, str)):
        # A sum of lists copies the result so far at each element.
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


_MOST_TRIES = 20_000_000
_MOST_REPEATS = 1_000
_LONGEST_PATTERN = 5_000
_FLAGS = ("IGNORECASE", "I", "MULTILINE", "M", "DOTALL", "S", "VERBOSE", "X", "ASCII", "A")
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def re_module() -> dict[str, Any]:
    """Return the functions of `re` that a template may call, by name."""
    functions: dict[str, Callable[..., Any]] = {
        name: _function(name) for name in ("match", "search", "fullmatch", "findall", "split", "sub")
    }
    functions |= {"compile": SafePattern, "escape": re.escape}
    return {**functions, **{name: int(getattr(re, name)) for name in _FLAGS}}


def _function(name: str) -> Callable[..., Any]:
    def call(pattern: str | SafePattern, *args: Any, flags: int = 0, **kwargs: Any) -> Any:
        compiled = pattern if isinstance(pattern, SafePattern) else SafePattern(pattern, flags)
        return getattr(compiled, name)(*args, **kwargs)

    return call


class SafePattern(TemplateObject):
    """Compiled pattern with checked cost."""

    __slots__ = ("_compiled", "_growing", "pattern")
    readable: ClassVar[frozenset[str]] = frozenset(
        ["match", "search", "fullmatch", "findall", "split", "sub", "pattern"]
    )

    def __init__(self, pattern: str, flags: int = 0) -> None:
        if not isinstance(pattern, str):
            raise TemplateError("Pattern must be a string", name="re")
        if len(pattern) > _LONGEST_PATTERN:
            raise TemplateError(
                f"Pattern of {len(pattern):,} characters exceeds the limit of {_LONGEST_PATTERN:,}",
                name="re",
            )
        self.pattern = pattern
        try:
            # The module that parses patterns became private in Python 3.11.
            parser: Any = import_module("re._parser" if hasattr(re, "_parser") else "sre_parse")
            self._growing = _growing_parts(parser.parse(pattern, flags), pattern)
            self._compiled = re.compile(pattern, flags)
        except (re.error, OverflowError, RecursionError) as error:
            raise TemplateError(f"Invalid pattern: {quoted(pattern)} ({error})", name="re") from None

    def match(self, text: str) -> re.Match[str] | None:
        """Return the match at the beginning of *text*."""
        return self._compiled.match(self._checked(text))

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match in *text*."""
        return self._compiled.search(self._checked(text))

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Return the match of the whole *text*."""
        return self._compiled.fullmatch(self._checked(text))

    def findall(self, text: str) -> list[Any]:
        """Return all matches in *text*."""
        return self._compiled.findall(self._checked(text))

    def split(self, text: str, maxsplit: int = 0) -> list[Any]:
        """Return *text* split at the matches."""
        return self._compiled.split(self._checked(text), maxsplit)

    def sub(self, replacement: str, text: str, count: int = 0) -> str:
        """Return *text* with every match replaced."""
        # An empty match between all characters yields the longest result.
        if not isinstance(replacement, str) or len(replacement) * (len(text) + 1) > _MOST_TRIES:
            raise TemplateError("Replacement must be a short string", name="re.sub")
        return self._compiled.sub(replacement, self._checked(text), count)

    def _checked(self, text: str) -> str:
        length, parts = len(text) + 1, self._growing + 1
        # The number of ways to divide the text among the growing parts bounds the backtracking.
        if length**parts // factorial(parts) > _MOST_TRIES:
            raise TemplateError(
                f"Pattern {quoted(self.pattern)} may take too long on {length - 1:,} characters",
                name="re",
                hint="use fewer * and +, or shorter text",
            )
        return text


def _growing_parts(parsed: Any, pattern: str, *, inside: bool = False) -> int:
    """Return how many parts of *parsed* can match texts of different lengths.

    Raise TemplateError if such a part contains another one.
    """
    count = 0
    for operation, argument in parsed:
        name = str(operation)
        if name in _REPEATS:
            least, most, body = argument
            grows = most != least
            if (grows and inside) or (inside and int(most) > _MOST_REPEATS) or (least > _MOST_REPEATS):
                raise _too_costly(pattern)
            count += grows + _growing_parts(body, pattern, inside=inside or int(most) > 1)
        elif name == "BRANCH":
            if inside:
                raise _too_costly(pattern)
            count += sum(_growing_parts(branch, pattern) for branch in argument[1])
        elif name in ("GROUPREF", "GROUPREF_EXISTS") and inside:
            raise _too_costly(pattern)
        else:
            count += sum(_growing_parts(part, pattern, inside=inside) for part in _parts(argument))
    return count


def _parts(argument: Any) -> list[Any]:
    """Return the patterns inside an operation, such as a group or a look-ahead."""
    values = argument if isinstance(argument, (tuple, list)) else [argument]
    return [value for value in values if type(value).__name__ == "SubPattern"]


def _too_costly(pattern: str) -> TemplateError:
    return TemplateError(
        f"Pattern {quoted(pattern)} repeats a part that itself repeats or has alternatives; it may never end",
        name="re",
        hint="remove the * or + around another * or +, or around |",
    )
