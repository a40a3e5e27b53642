"""Evaluator of operators, filters, tests and methods of constants; the result may be UNKNOWN.

It evaluates only operations that are fast, safe and deterministic. All other results are UNKNOWN.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from typing import Any

from jinja2.filters import do_title

from recce_meta.extractors.jinja.state import (
    UNDEFINED,
    UNKNOWN,
    Beyond,
    NamespaceState,
    Value,
    is_known,
    require_room,
    weigh,
)

LARGEST = 10_000
"""Maximum number of elements of a repetition or `range`."""


def apply(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return the result of *function* for constants; UNKNOWN if it fails, as rendering would."""
    try:
        value = function(*args, **kwargs)
        weigh(value)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        return UNKNOWN
    return value


def _times(left: Any, right: Any) -> Any:
    for size, other in ((left, right), (right, left)):
        if isinstance(size, int) and isinstance(other, (str, list, tuple)) and size * len(other) > LARGEST:
            raise Beyond("a repetition that is too large to be followed")
    return left * right


def _power(left: Any, right: Any) -> Any:
    # Checked before computing, because a power may have millions of digits.
    if abs(left) > 1_000_000 or abs(right) > 16:
        return UNKNOWN
    return left**right


def _remainder(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        return _percent(left, *(right if isinstance(right, tuple) else (right,)))
    return left % right


def _percent(text: Any, *values: Any) -> Any:
    """Return *text* with `%s` and `%d` filled; UNKNOWN if it has other conversions."""
    rest = str(text).replace("%%", "").replace("%s", "").replace("%d", "")
    if "%" in rest:
        return UNKNOWN
    require_room(_length(text, *values))
    return str(text) % values


OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": _times,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": _remainder,
    "pow": _power,
}
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}


def text_of(value: Any) -> Any:
    """Return *value* as text, as in the output."""
    return str(value) if is_known(value) else UNKNOWN


def _elements(value: Any) -> list[Any]:
    if not isinstance(value, (list, tuple, str, dict, set, range)):
        raise TypeError("not iterable")
    return list(value)


def _item(value: Any, attribute: Any) -> Any:
    for part in str(attribute).split("."):
        if isinstance(value, NamespaceState):
            value = value.names[part]
        elif isinstance(value, dict):
            value = value[part]
        else:
            value = value[int(part)]
    return value


def _map(
    value: Any, name: str | None = None, *args: Any, attribute: Any = None, default: Any = UNKNOWN
) -> Any:
    if attribute is not None:
        return [_item(entry, attribute) for entry in _elements(value)]
    if name is None or name not in FILTERS:
        return UNKNOWN
    found: list[Any] = []
    for entry in _elements(value):
        found.append(FILTERS[name](entry, *args))
        weigh(found[-1])
    return found


def _choosing(wanted: bool, by_attribute: bool) -> Callable[..., Any]:
    def choose(value: Any, *args: Any) -> Any:
        chosen = []
        for entry in _elements(value):
            subject = _item(entry, args[0]) if by_attribute else entry
            name, *rest = args[by_attribute:] or ("true_or_filled",)
            if name != "true_or_filled" and name not in TESTS:
                return UNKNOWN
            holds = bool(subject) if name == "true_or_filled" else TESTS[name](subject, *rest)
            if holds is wanted:
                chosen.append(entry)
        return chosen

    return choose


def _default(value: Any, default: Any = "", boolean: bool = False) -> Any:
    return value if value or not boolean else default


def _join(value: Any, by: str = "", attribute: Any = None) -> str:
    found = _elements(value) if attribute is None else [_item(entry, attribute) for entry in _elements(value)]
    return _joined(str(by), [str(entry) for entry in found])


def _replaced(text: str, old: str, new: str, count: int = -1) -> str:
    found = text.count(old)
    require_room(len(text) + (len(new) - len(old)) * (found if count < 0 else min(found, count)))
    return text.replace(old, new, count)


def _joined(by: str, value: Any) -> str:
    found = _elements(value)
    require_room(_length(*found) + len(by) * len(found))
    return by.join(found)


def _format(text: str, *args: Any, **kwargs: Any) -> str:
    # Each field may insert the longest value.
    longest = max((len(str(value)) for value in (*args, *kwargs.values())), default=0)
    require_room(len(text) + text.count("{") * longest)
    return text.format(*args, **kwargs)


def _length(*values: Any) -> int:
    """Return the number of characters of *values* as texts."""
    return sum(len(str(value)) for value in values)


def _sorted(value: Any, reverse: bool = False, case_sensitive: bool = False, attribute: Any = None) -> Any:
    def key(entry: Any) -> Any:
        found = entry if attribute is None else _item(entry, attribute)
        # Jinja ignores case by default.
        return found.lower() if isinstance(found, str) and not case_sensitive else found

    return sorted(_elements(value), key=key, reverse=reverse)


def _unique(value: Any, case_sensitive: bool = False) -> list[Any]:
    found: dict[Any, Any] = {}
    for entry in _elements(value):
        found.setdefault(entry.lower() if isinstance(entry, str) and not case_sensitive else entry, entry)
    return list(found.values())


def _to_number(kind: Callable[[Any], Any]) -> Callable[..., Any]:
    def convert(value: Any, default: Any = 0, *_: Any) -> Any:
        try:
            return kind(value)
        except (TypeError, ValueError):
            return default

    return convert


def _batch(value: Any, count: int) -> list[list[Any]]:
    found = _elements(value)
    return [found[start : start + count] for start in range(0, len(found), count)]


def _dictsort(value: Mapping[str, Any], *_: Any) -> list[tuple[str, Any]]:
    return sorted(value.items(), key=lambda item: item[0].lower())


FILTERS: dict[str, Callable[..., Any]] = {
    "lower": lambda value: str(value).lower(),
    "upper": lambda value: str(value).upper(),
    "title": do_title,
    "capitalize": lambda value: str(value).capitalize(),
    "trim": lambda value, characters=None: str(value).strip(characters),
    "replace": lambda value, old, new, count=-1: _replaced(str(value), str(old), str(new), count),
    "string": str,
    "format": _percent,
    "join": _join,
    "length": len,
    "count": len,
    "first": lambda value: _elements(value)[0],
    "last": lambda value: _elements(value)[-1],
    "list": _elements,
    "int": _to_number(int),
    "float": _to_number(float),
    "abs": abs,
    "round": lambda value, precision=0: float(round(value, precision)),
    "default": _default,
    "d": _default,
    "reverse": lambda value: value[::-1] if isinstance(value, str) else _elements(value)[::-1],
    "sort": _sorted,
    "unique": _unique,
    "map": _map,
    "select": _choosing(True, False),
    "reject": _choosing(False, False),
    "selectattr": _choosing(True, True),
    "rejectattr": _choosing(False, True),
    "batch": _batch,
    "dictsort": _dictsort,
    "items": lambda value: list(value.items()),
    "sum": lambda value: sum(_elements(value)),
    "min": lambda value: min(_elements(value)),
    "max": lambda value: max(_elements(value)),
    "attr": _item,
    "tojson": lambda value: json.dumps(value, sort_keys=True),
    "as_text": lambda value: value,
    "as_bool": lambda value: value,
    "as_native": lambda value: value,
    "as_number": lambda value: value,
    "safe": lambda value: value,
}
ANY_VALUE = frozenset(["list", "first", "last", "length", "count", "reverse", "items", "batch", "attr"])
"""Filters that work on a container with unknown elements."""

TESTS: dict[str, Callable[..., Any]] = {
    "none": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, (int, float)),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, float),
    "boolean": lambda value: isinstance(value, bool),
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "mapping": lambda value: isinstance(value, dict),
    "iterable": lambda value: isinstance(value, (str, list, tuple, dict, set)),
    "sequence": lambda value: isinstance(value, (str, list, tuple, dict)),
    "odd": lambda value: value % 2 == 1,
    "even": lambda value: value % 2 == 0,
    "divisibleby": lambda value, number: value % number == 0,
    "lower": lambda value: str(value).islower(),
    "upper": lambda value: str(value).isupper(),
    "in": lambda value, within: value in within,
    **dict.fromkeys(("eq", "equalto", "=="), operator.eq),
    **dict.fromkeys(("ne", "!="), operator.ne),
    **dict.fromkeys(("lt", "lessthan", "<"), operator.lt),
    **dict.fromkeys(("gt", "greaterthan", ">"), operator.gt),
    **dict.fromkeys(("le", "<="), operator.le),
    **dict.fromkeys(("ge", ">="), operator.ge),
    "sameas": operator.is_,
}

METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        "lower upper strip lstrip rstrip replace split rsplit splitlines join startswith endswith title "
        "capitalize swapcase removeprefix removesuffix find index count partition rpartition isdigit isalpha "
        "isalnum isnumeric islower isupper format".split()
    ),
    list: frozenset("append extend insert pop remove reverse sort index count copy clear".split()),
    tuple: frozenset(["index", "count"]),
    dict: frozenset("items keys values get update pop setdefault copy clear popitem".split()),
    set: frozenset(["add", "discard", "union", "copy", "update"]),
}
_GROWING: Mapping[str, Callable[..., Any]] = {
    "replace": _replaced,
    "format": _format,
    "join": _joined,
}
"""Methods of strings whose result can be far longer than what they receive."""
CHANGING = frozenset(
    "append extend insert pop remove reverse sort clear update setdefault popitem add discard".split()
)
"""Methods that change their object."""


def call_method(owner: Any, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Return the result of the method *name* of the constant *owner*.

    Raises Beyond if the method changes *owner* and the change depends on an unknown value.
    """
    known = is_known([*args, *kwargs.values()])
    if isinstance(owner, str):
        # A format can read attributes, and so Python's internals.
        if not known or (name == "format" and not _is_plain(owner)):
            return UNKNOWN
        if name in _GROWING:
            return apply(_GROWING[name], owner, *args, **kwargs)
        return apply(getattr(owner, name), *args, **kwargs)
    # Any number of unknown elements is represented by one.
    if name in ("extend", "update") and not (args and isinstance(args[0], (list, tuple, dict, set))):
        return _blur(owner) if args else None
    needs_elements = name in ("index", "count", "remove", "sort")
    needs_key = name in ("get", "pop", "setdefault", "add", "discard", "insert")
    if (needs_elements and not (known and is_known(owner))) or (needs_key and not is_known(list(args[:1]))):
        if name in CHANGING:
            raise Beyond("a change of a list or dictionary that only rendering knows")
        return UNKNOWN
    value = apply(getattr(owner, name), *args, **kwargs)
    if name in CHANGING:
        weigh(owner)
    return list(value) if isinstance(value, (type({}.keys()), type({}.values()), type({}.items()))) else value


def _blur(owner: Any) -> None:
    """Add unknown elements to *owner*."""
    if isinstance(owner, list):
        owner.append(UNKNOWN)
    elif isinstance(owner, dict):
        # The unknown entries may overwrite each known one.
        owner.update(dict.fromkeys((*owner, UNKNOWN), UNKNOWN))
    else:
        owner.add(UNKNOWN)


def _is_plain(template: str) -> bool:
    """Return True if `template.format(…)` only inserts values, without attributes and format specifiers."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return False
    return all(
        name is None
        or (not spec and not conversion and (name == "" or name.isidentifier() or name.isdigit()))
        for _, name, spec, conversion in parts
    )


def truth_of(value: Value) -> bool | None:
    """Return the truth of *value*, or None if unknown."""
    if isinstance(value, (list, dict, tuple, set)) or is_known(value):
        return bool(value)
    return None


def sliced(owner: Value, bounds: slice) -> Value:
    """Return `owner[bounds]`."""
    if not isinstance(owner, (str, list, tuple)) or not is_known([bounds.start, bounds.stop, bounds.step]):
        return UNKNOWN
    return apply(lambda: owner[bounds])


def filtered(name: str, value: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """Return `value | name(…)`."""
    if value is UNDEFINED and name in ("default", "d"):
        return args[0] if args else kwargs.get("default_value", "")
    known = is_known([*args, *kwargs.values()])
    loose = name in ANY_VALUE and isinstance(value, (list, tuple, dict))
    if name not in FILTERS or not known or not (loose or is_known(value)):
        return UNDEFINED if value is UNDEFINED else UNKNOWN
    return apply(FILTERS[name], value, *args, **kwargs)
