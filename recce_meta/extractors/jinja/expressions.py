"""Evaluator of a template's expressions, by constant folding.

Every method returns all possible results of an expression, as pairs of a path's state and the value in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from jinja2 import nodes

from recce_meta.extractors.jinja.constants import (
    CHANGING,
    COMPARISONS,
    METHODS,
    OPERATORS,
    TESTS,
    apply,
    filtered,
    sliced,
    text_of,
    truth_of,
)
from recce_meta.extractors.jinja.state import (
    HIDDEN,
    UNDEFINED,
    UNKNOWN,
    Beyond,
    BoundMethod,
    Builtin,
    Closure,
    Findings,
    Loop,
    NamespaceState,
    Package,
    PathState,
    Value,
    frozen,
    is_known,
    weigh,
)

Pairs: TypeAlias = list[tuple[PathState, Value]]
BUILTINS = frozenset(
    "ref source function config var env_var builtins context adapter return range dict namespace zip set log "
    "print fromjson tojson render".split()
)


class Expressions:
    """Evaluator of expressions; a subclass evaluates calls."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.package = findings.package
        self._methods: dict[type, Callable[[Any, PathState], Pairs]] = {
            nodes.Const: lambda node, world: [(world, node.value)],
            nodes.TemplateData: lambda node, world: [(world, node.data)],
            nodes.Name: lambda node, world: [(world, self.look_up(node.name, world))],
            nodes.List: self._list,
            nodes.Tuple: self._tuple,
            nodes.Dict: self._dict,
            nodes.CondExpr: self._conditional,
            nodes.Compare: self._compare,
            nodes.Concat: self._concat,
            nodes.And: self._logic,
            nodes.Or: self._logic,
            nodes.Not: self._unary,
            nodes.Neg: self._unary,
            nodes.Pos: self._unary,
            nodes.Getattr: self._getattr,
            nodes.Getitem: self._getitem,
            nodes.Filter: self._filter,
            nodes.Test: self._test,
            nodes.Call: self._call,
        }

    def call(self, value: Value, node: nodes.Call, args: Arguments, world: PathState) -> Pairs:
        """Return the possible results of calling *value*."""
        raise NotImplementedError

    def evaluate(self, node: nodes.Node, world: PathState) -> Pairs:
        """Return the possible values of *node*."""
        self.findings.spend()
        method = self._methods.get(type(node))
        if method is not None:
            return method(node, world)
        if isinstance(node, nodes.BinExpr):
            return self._binary(node, world)
        return [(after, UNKNOWN) for after, _ in self.each(list(node.iter_child_nodes()), world)]

    def each(
        self, found: Sequence[nodes.Node | None], world: PathState
    ) -> list[tuple[PathState, list[Value]]]:
        """Return the possible values of the nodes *found*, evaluated in order; None stays None."""
        ways: list[tuple[PathState, list[Value]]] = [(world, [])]
        for node in found:
            if node is None:
                ways = [(before, [*values, None]) for before, values in ways]
                continue
            ways = [
                (after, [*values, value])
                for before, values in ways
                for after, value in self.evaluate(node, before)
            ]
        return ways

    def look_up(self, name: str, world: PathState) -> Value:
        """Return the value of *name*: set in the template, a macro, a dbt builtin, a package, or unknown."""
        scope = world.scope.find(name)
        if scope is not None:
            return scope.names[name]
        macros = self.findings.macros
        # Before dbt's builtins, because a project may redefine `ref`.
        macro = macros.find(name, self.package)
        if macro is not None:
            return macro
        if name in BUILTINS:
            return Builtin(name)
        if name == "target":
            return self.findings.target
        if macros.has_package(name):
            return Package(name)
        return UNDEFINED if name in self.findings.own else UNKNOWN

    def _list(self, node: nodes.List, world: PathState) -> Pairs:
        return self._weighed(self.each(node.items, world), list)

    def _tuple(self, node: nodes.Tuple, world: PathState) -> Pairs:
        return self._weighed(self.each(node.items, world), tuple)

    def _weighed(self, ways: list[tuple[PathState, list[Value]]], kind: Callable[[Any], Value]) -> Pairs:
        for _, values in ways:
            self.findings.spend(weigh(values) >> 3)
        return [(world, kind(values)) for world, values in ways]

    def _dict(self, node: nodes.Dict, world: PathState) -> Pairs:
        flat = [part for pair in node.items for part in (pair.key, pair.value)]
        return self._weighed(
            self.each(flat, world),
            lambda values: {
                key if is_known(key) and not isinstance(key, (list, dict)) else UNKNOWN: value
                for key, value in zip(values[::2], values[1::2], strict=True)
            },
        )

    def _conditional(self, node: nodes.CondExpr, world: PathState) -> Pairs:
        found: Pairs = []
        for after, value in self.evaluate(node.test, world):
            decided = decides(node.test, value, after)
            if decided is not False:
                found += self.evaluate(node.expr1, after.fork() if decided is None else after)
            if decided is not True:
                found += [(after, UNDEFINED)] if node.expr2 is None else self.evaluate(node.expr2, after)
        return different(found)

    def _compare(self, node: nodes.Compare, world: PathState) -> Pairs:
        found: Pairs = []
        for after, values in self.each([node.expr, *(operand.expr for operand in node.ops)], world):
            result: Value = True
            for operand, left, right in zip(node.ops, values, values[1:], strict=False):
                if not (is_known(left) and is_known(right)):
                    result = UNKNOWN
                    break
                result = apply(COMPARISONS[operand.op], left, right)
                # As in Python, a chain of comparisons ends at the first one that does not hold.
                if result is not True:
                    break
            found.append((after, result))
        return found

    def _binary(self, node: nodes.BinExpr, world: PathState) -> Pairs:
        operator = OPERATORS.get(type(node).__name__.lower())
        found: Pairs = []
        for after, (left, right) in self.each([node.left, node.right], world):
            value = UNDEFINED if UNDEFINED in (left, right) else UNKNOWN
            lists = isinstance(left, list) and isinstance(right, list) and isinstance(node, nodes.Add)
            if operator is not None and (lists or (is_known(left) and is_known(right))):
                value = apply(operator, left, right)
            found.append((after, value))
        return found

    def _concat(self, node: nodes.Concat, world: PathState) -> Pairs:
        found: Pairs = []
        for after, values in self.each(node.nodes, world):
            texts = [text_of(value) for value in values]
            missing = UNDEFINED if any(value is UNDEFINED for value in values) else UNKNOWN
            found.append((after, missing if UNKNOWN in texts else apply("".join, texts)))
        return found

    def _logic(self, node: nodes.BinExpr, world: PathState) -> Pairs:
        found: Pairs = []
        # Both sides are evaluated, because either may contain a reference.
        for after, (left, right) in self.each([node.left, node.right], world):
            truth = truth_of(left)
            # `x or 'default'` works for a name that is not set.
            if left is UNDEFINED and isinstance(node, nodes.Or):
                truth = False
            if truth is None:
                found.append((after, UNKNOWN))
            else:
                found.append((after, right if truth is isinstance(node, nodes.And) else left))
        return found

    def _unary(self, node: nodes.UnaryExpr, world: PathState) -> Pairs:
        found: Pairs = []
        for after, value in self.evaluate(node.node, world):
            if isinstance(node, nodes.Not):
                truth = truth_of(value)
                found.append((after, UNKNOWN if truth is None else not truth))
            else:
                negative = isinstance(node, nodes.Neg)
                is_number = isinstance(value, (int, float))
                found.append((after, (-value if negative else value) if is_number else UNKNOWN))
        return found

    def _getattr(self, node: nodes.Getattr, world: PathState) -> Pairs:
        return [(after, self.member(owner, node.attr)) for after, owner in self.evaluate(node.node, world)]

    def _getitem(self, node: nodes.Getitem, world: PathState) -> Pairs:
        if isinstance(node.arg, nodes.Slice):
            parts = [node.node, node.arg.start, node.arg.stop, node.arg.step]
            return [
                (after, sliced(owner, slice(*bounds))) for after, (owner, *bounds) in self.each(parts, world)
            ]
        ways = self.each([node.node, node.arg], world)
        return [(after, self.member(owner, key)) for after, (owner, key) in ways]

    def member(self, owner: Value, key: Value) -> Value:
        """Return `owner.key`, or `owner[key]`."""
        if isinstance(owner, (Builtin, Package)):
            return self._member_of_dbt(owner, key)
        if isinstance(owner, NamespaceState):
            return owner.names.get(key, UNKNOWN) if isinstance(key, str) else UNKNOWN
        if isinstance(owner, Loop):
            return owner.get(key) if isinstance(key, str) else UNKNOWN
        if (
            isinstance(owner, (dict, list, tuple, str))
            and is_known(key)
            and not isinstance(key, (list, dict))
        ):
            absent = UNKNOWN if isinstance(owner, dict) and UNKNOWN in owner else UNDEFINED
            try:
                return owner[key]
            except (LookupError, TypeError):
                return absent
        return UNDEFINED if owner is UNDEFINED else UNKNOWN

    def _member_of_dbt(self, owner: Builtin | Package, key: Value) -> Value:
        if isinstance(owner, Package):
            macro = self.findings.macros.of_package(owner.name, key) if isinstance(key, str) else None
            return UNKNOWN if macro is None else macro
        if owner.name in ("builtins", "context"):
            # An unknown key may be `ref`.
            if not isinstance(key, str):
                return HIDDEN
            if key == "get":
                return Builtin(f"{owner.name}.get")
            return Builtin(key) if key in BUILTINS else UNKNOWN
        if owner.name in ("adapter", "config"):
            return Builtin(f"{owner.name}.{key}") if key in ("dispatch", "get", "require") else UNKNOWN
        return UNKNOWN

    def _filter(self, node: nodes.Filter, world: PathState) -> Pairs:
        found: Pairs = []
        names = [keyword.key for keyword in node.kwargs]
        parts = [node.node, *node.args, *(keyword.value for keyword in node.kwargs)]
        for after, (value, *rest) in self.each(parts, world):
            args, kwargs = (
                rest[: len(node.args)],
                dict(zip(map(str, names), rest[len(node.args) :], strict=True)),
            )
            plain = node.dyn_args is None and node.dyn_kwargs is None
            found.append((after, filtered(node.name, value, args, kwargs) if plain else UNKNOWN))
        return found

    def _test(self, node: nodes.Test, world: PathState) -> Pairs:
        found: Pairs = []
        for after, (value, *args) in self.each([node.node, *node.args], world):
            result: Value = UNKNOWN
            if node.name in ("defined", "undefined"):
                if value is UNDEFINED or is_known(value) or isinstance(value, (list, dict, tuple, Closure)):
                    result = (value is not UNDEFINED) is (node.name == "defined")
            elif node.name in TESTS and is_known([value, *args]):
                result = apply(TESTS[node.name], value, *args)
            found.append((after, result))
        return found

    def _call(self, node: nodes.Call, world: PathState) -> Pairs:
        found: Pairs = []
        if not isinstance(node.node, nodes.Getattr):
            for before, callee in self.evaluate(node.node, world):
                for after, args in self._arguments(node, before):
                    found += self.call(callee, node, args, after)
            return found
        place, name = node.node.node, node.node.attr
        if name in CHANGING and _is_place(place):
            # Arguments come first: if they fork the world, each world has its own object to change.
            for before, args in self._arguments(node, world):
                for after, owner in self.evaluate(place, before):
                    found += self.call(self._method_of(owner, name), node, args, after)
            return found
        for before, owner in self.evaluate(place, world):
            ways = self._arguments(node, before)
            if name in CHANGING and len(ways) > 1 and not isinstance(owner, Builtin):
                raise Beyond("a change of a list or dictionary that only rendering knows")
            for after, args in ways:
                found += self.call(self._method_of(owner, name), node, args, after)
        return found

    def _method_of(self, owner: Value, name: str) -> Value:
        methods = METHODS.get(type(owner), frozenset())
        if isinstance(owner, Loop) and name == "cycle":
            return BoundMethod(owner, "cycle")
        if name in methods and not (isinstance(owner, dict) and name in owner):
            return BoundMethod(owner, name)
        return self.member(owner, name)

    def _arguments(self, node: nodes.Call, world: PathState) -> list[tuple[PathState, Arguments]]:
        names = [keyword.key for keyword in node.kwargs]
        parts = [*node.args, *(keyword.value for keyword in node.kwargs), node.dyn_args, node.dyn_kwargs]
        found = []
        for after, (*values, more, more_named) in self.each(parts, world):
            args = Arguments(
                values[: len(node.args)], dict(zip(names, values[len(node.args) :], strict=True))
            )
            if node.dyn_args is not None:
                args.extend(more)
            if node.dyn_kwargs is not None:
                args.update(more_named)
            found.append((after, args))
        return found


def decides(test: nodes.Node, value: Value, world: PathState) -> bool | None:
    """Return the truth of *test* if it depends on a loop variable or macro argument; else None.

    Any other condition may differ between environments, even if it is a constant here.
    """
    if not is_known(value):
        return None
    for name in test.find_all(nodes.Name):
        scope = world.scope.find(name.name)
        if scope is not None and scope.is_decided:
            return bool(value)
    if isinstance(test, nodes.Name):
        scope = world.scope.find(test.name)
        return bool(value) if scope is not None and scope.is_decided else None
    return None


def different(pairs: Pairs) -> Pairs:
    """Return *pairs* without duplicates."""
    if len(pairs) < 2:
        return pairs
    return list({(world.key(), frozen(value)): (world, value) for world, value in pairs}.values())


def _is_place(node: nodes.Node) -> bool:
    """Return True if *node* only names a value, so that evaluating it twice has no effect."""
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        if isinstance(node, nodes.Getitem) and not isinstance(node.arg, (nodes.Const, nodes.Name)):
            return False
        node = node.node
    return isinstance(node, nodes.Name)


class Arguments:
    """Arguments of a call."""

    __slots__ = ("is_whole", "named", "values")

    def __init__(self, values: list[Value], named: dict[str, Value]) -> None:
        self.values, self.named = values, named
        self.is_whole = True
        """Whether these are all arguments."""

    def extend(self, more: Value) -> None:
        """Add `*more`."""
        if isinstance(more, (list, tuple)):
            self.values = [*self.values, *more]
        else:
            self.is_whole = False

    def update(self, more: Value) -> None:
        """Add `**more`."""
        if isinstance(more, dict) and all(isinstance(key, str) for key in more):
            self.named = {**self.named, **more}
        else:
            self.is_whole = False

    @property
    def all(self) -> list[Value]:
        """Return every value, positional or named."""
        return [*self.values, *self.named.values()]
