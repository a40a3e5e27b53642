"""Jinja sandbox in which symbols keep their meaning.

Jinja compiles `~`, dictionaries, filters and tests to plain Python, which would take the token of a symbol
for a string. Here each of them returns a symbol if it is given one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import BuiltinMethodType, CodeType
from typing import Any, cast

from jinja2 import Undefined, nodes
from jinja2.runtime import Macro
from jinja2.utils import Namespace as JinjaNamespace

from recce_meta.render.functions import FUNCTIONS
from recce_meta.render.macros import MacroCall
from recce_meta.render.objects import READABLE, TemplateObject
from recce_meta.render.sandbox import Sandbox, call_macro
from recce_meta.render.symbols import (
    MARK,
    TOKEN,
    Symbol,
    SymbolTable,
    Undecidable,
    World,
    arguments_of,
    settled,
    words,
    world_of,
)


class SymbolFunction(TemplateObject):
    """Base of functions that take symbols as arguments."""

    __slots__ = ()


class _Absent(Undefined):
    """Missing attribute or key: empty and false, as in dbt."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, name: Any) -> Any:
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self


class SymbolicSandbox(Sandbox):
    """Sandbox in which every way from a symbol to its value leads through the world."""

    def __init__(self) -> None:
        super().__init__()
        self.undefined = _Absent
        self.world = World(())
        self._codes: dict[str, CodeType] = {}
        for name, function in list(self.filters.items()):
            if name not in (_TABLE, _JOINED) and " " not in name:
                self.filters[name] = _symbolic_filter(name, function, self._as_symbol)
        for name, function in list(cast(dict[str, Callable[..., Any]], self.tests).items()):
            if name not in _OPERATORS_AS_TESTS:
                self.tests[name] = _symbolic_test(name, function)
        self.filters |= {_TABLE: SymbolTable, _JOINED: _joined}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        _replace_children(parsed, self)
        return parsed

    def code(self, source: str, name: str, filename: str) -> CodeType:
        """Return *source* compiled for this environment."""
        if source not in self._codes:
            self._codes[source] = self.compile(source, name, filename)
        return self._codes[source]

    def concat(self, pieces: Iterable[str]) -> Any:
        """Return *pieces* joined; a symbol if one of them is the text of a symbol."""
        text = super().concat(pieces)
        return self._as_symbol(text)

    def _as_symbol(self, value: Any) -> Any:
        """Return *value*; a symbol if it is a string with the token of a symbol."""
        if isinstance(value, str) and MARK in value:
            keys = tuple(self.world.places)
            return Symbol(
                self.world, TOKEN.sub(lambda match: f"{{{{ {keys[int(match[1])]} }}}}", value), value
            )
        return value

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return `obj.attribute`."""
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, Symbol):
            fixed = obj.value
            if fixed is None:
                return Symbol(obj.world, f"{obj.key}.{attribute}")
            obj = fixed
        if isinstance(obj, SymbolTable) and attribute in READABLE[dict]:
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return `obj[argument]`."""
        if isinstance(obj, Undefined):
            return obj
        obj, argument = settled(obj), settled(argument)
        if isinstance(obj, Symbol):
            return Symbol(obj.world, f"{obj.key}[{words(argument)}]")
        if isinstance(argument, Symbol) and not isinstance(obj, SymbolTable):
            return Symbol(argument.world, f"{words(obj)}[{argument.key}]")
        return super().getitem(obj, argument)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Return `left operator right`."""
        left, right = settled(left), settled(right)
        world = world_of(left, right)
        if world is not None and not (operator == "+" and isinstance(left, list) and isinstance(right, list)):
            return Symbol(world, f"({words(left)} {operator} {words(right)})")
        return self._as_symbol(super().call_binop(context, operator, left, right))

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Return the result of `obj(…)`."""
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        if isinstance(obj, Symbol):
            key = f"{obj.key}({arguments_of(args, kwargs)})"
            if obj.key.startswith(_SENDING):
                obj.world.effects.add(key)
            origin, _, method = obj.key.rpartition(".")
            if method in _OF_STRINGS and all(isinstance(one, str) for one in args) and not kwargs:
                obj.world.derived[key] = origin, lambda value: getattr(value, method)(*args)
                if method in ("lower", "upper"):
                    obj.world.idempotent.add(key)
            return Symbol(obj.world, key)
        if isinstance(obj, (SymbolFunction, MacroCall, Macro)) or obj in (JinjaNamespace, SymbolTable):
            self.budget.spend()
            return call_macro(obj, args, kwargs) if isinstance(obj, Macro) else obj(*args, **kwargs)
        args = tuple(map(settled, args))
        world = world_of(args, kwargs)
        if world is None or getattr(obj, "__name__", "") in ("_log", "_return"):
            return self._as_symbol(super().call(context, obj, *args, **kwargs))
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, (list, dict)):
            self.budget.spend()
            return obj(*args, **kwargs)
        name = getattr(obj, "__name__", "call")
        if isinstance(owner, str) or isinstance(obj, BuiltinMethodType):
            name = f"{words(owner)}.{name}"
        elif obj not in FUNCTIONS.values():
            raise Undecidable(name)
        return Symbol(world, f"{name}({arguments_of(args, kwargs)})")


_TABLE, _JOINED = "the table of", "the text of"
_OPERATORS_AS_TESTS = frozenset("== eq equalto != ne > gt greaterthan >= ge < lt lessthan <= le in".split())


def _replace_children(node: nodes.Node, environment: Any) -> None:
    """Replace dictionaries and `~` below *node* by filters that know symbols."""
    for name in node.fields:
        value = getattr(node, name)
        if isinstance(value, list):
            for place, item in enumerate(value):
                if isinstance(item, nodes.Node):
                    _replace_children(item, environment)
                    value[place] = _replaced(item, environment)
        elif isinstance(value, nodes.Node):
            _replace_children(value, environment)
            setattr(node, name, _replaced(value, environment))


def _replaced(node: nodes.Node, environment: Any) -> nodes.Node:
    if isinstance(node, nodes.Dict):
        pairs: list[nodes.Expr] = [nodes.Tuple([pair.key, pair.value], "load") for pair in node.items]
        name = _TABLE
    elif isinstance(node, nodes.Concat):
        pairs, name = list(node.nodes), _JOINED
    else:
        return node
    content = nodes.List(pairs, lineno=node.lineno)
    return nodes.Filter(content, name, [], [], None, None, lineno=node.lineno, environment=environment)


def _joined(parts: list[Any]) -> Any:
    parts = [settled(part) for part in parts]
    world = world_of(parts)
    text = "".join(map(str, parts))
    return text if world is None else Symbol(world, " ~ ".join(map(words, parts)), text)


_SENDING = ("adapter.", "run_query", "statement")
"""Beginnings of calls that may send a statement to the database."""
_OF_STRINGS = frozenset("startswith endswith lower upper strip".split())
"""Methods of which the result is computed if the string is known."""
_UNCHANGING = frozenset("as_text as_bool as_native as_number list length count first last default d".split())
"""Filters that work on a symbol, or a list of symbols, without its value."""


def _symbolic_filter(
    name: str, function: Callable[..., Any], as_symbol: Callable[[Any], Any]
) -> Callable[..., Any]:
    first = 1 if getattr(function, "jinja_pass_arg", None) is not None else 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        given = tuple(map(settled, args[first:]))
        world = world_of(given, kwargs)
        if world is None:
            return as_symbol(function(*args[:first], *given, **kwargs))
        value = given[0] if given else None
        if name in ("default", "d") and isinstance(value, Symbol):
            # A symbol is defined. The second argument makes `default` replace what is false.
            may_be_replaced = given[2] if len(given) > 2 else kwargs.get("boolean", False)
            return (given[1] if len(given) > 1 else "") if may_be_replaced and not value else value
        if name.startswith("as_") or (name in _UNCHANGING and isinstance(value, (list, tuple))):
            return function(*args[:first], *given, **kwargs)
        if name == "join" and isinstance(value, (list, tuple)) and len(given) < 3 and not kwargs:
            return as_symbol(str(given[1] if len(given) > 1 else "").join(map(str, value)))
        arguments = f"({arguments_of(given[1:], kwargs)})" if given[1:] or kwargs else ""
        key = f"{words(value)}|{name}{arguments}"
        if name in ("lower", "upper") and isinstance(value, Symbol) and not arguments:
            world.derived[key] = value.key, lambda text: getattr(text, name)()
            world.idempotent.add(key)
        return Symbol(world, key)

    if first:
        wrapped.jinja_pass_arg = function.jinja_pass_arg  # type: ignore[attr-defined]
    return wrapped


def _symbolic_test(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    first = 1 if getattr(function, "jinja_pass_arg", None) is not None else 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        given = tuple(map(settled, args[first:]))
        world = world_of(given, kwargs)
        if world is None or (name == "none" and isinstance(given[0], (list, dict))):
            return function(*args[:first], *given, **kwargs)
        if name == "none":
            return given[0] == None  # noqa: E711  the symbol answers
        return world.holds(
            f"{words(given[0])} is {name}" + (f"({arguments_of(given[1:], kwargs)})" if given[1:] else "")
        )

    if first:
        wrapped.jinja_pass_arg = function.jinja_pass_arg  # type: ignore[attr-defined]
    return wrapped
