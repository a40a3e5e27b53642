"""Calls in a template: dbt's functions, macros, and everything that only rendering can call."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from recce_meta.extractors.jinja.constants import CHANGING, LARGEST, apply, call_method
from recce_meta.extractors.jinja.expressions import Arguments, Expressions, Pairs
from recce_meta.extractors.jinja.findings import DEEPEST_CALL, Findings
from recce_meta.extractors.jinja.grammar import ENVIRONMENT
from recce_meta.extractors.jinja.values import (
    HIDDEN,
    UNDEFINED,
    UNKNOWN,
    Beyond,
    Builtin,
    Closure,
    Loop,
    Namespace,
    Scope,
    Value,
    copied,
    holds_function,
    is_known,
    weigh,
)
from recce_meta.extractors.jinja.world import NOTHING, World

HOOKS = ("pre_hook", "post_hook", "pre-hook", "post-hook")
"""Settings whose text dbt renders too, and whose references it counts."""
BREAK, CONTINUE = Builtin("break"), Builtin("continue")


class Calls(Expressions):
    """What calls give, and what they refer to."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(findings)
        self._depth = 0
        self.unread: nodes.Node | None = None
        """The expression whose value nobody reads."""
        self._functions: Mapping[str, Callable[[nodes.Call, Arguments, World], Value]] = {
            "ref": self._ref,
            "source": self._source,
            "config": self._config,
            "config.get": lambda node, args, world: UNKNOWN,
            "var": self._var,
            "return": self._return,
            "range": lambda node, args, world: self._made(_range, args),
            "dict": lambda node, args, world: self._made(dict, args),
            "zip": lambda node, args, world: self._made(_zip, args),
            "set": lambda node, args, world: self._made(_unique, args),
            "namespace": self._namespace,
            "log": lambda node, args, world: "",
            "print": lambda node, args, world: "",
            "fromjson": lambda node, args, world: self._made(_from_json, args),
            "tojson": lambda node, args, world: self._made(json.dumps, args),
            "builtins.get": self._context_get,
            "context.get": self._context_get,
            "render": self._render,
        }

    def run(self, body: list[nodes.Node], worlds: list[World]) -> list[World]:
        """*worlds* after *body*."""
        raise NotImplementedError

    def loop_over(self, node: nodes.For, value: Value, world: World) -> list[World]:
        """*world* after the loop *node* over *value*."""
        raise NotImplementedError

    def call(self, value: Value, node: nodes.Call, args: Arguments, world: World) -> Pairs:
        """What calling *value* gives."""
        self.findings.spend()
        if isinstance(value, tuple) and len(value) == 2 and not isinstance(value[1], Closure):
            return [(world, self._method(*value, args))]
        if isinstance(value, Closure):
            if node is self.unread and self._is_quiet(value, node, args):
                self.findings.called.setdefault(value.title or "")
                return [(world, UNKNOWN)]
            return self.call_macro(value, args, world, is_read=node is not self.unread)
        if isinstance(value, Loop):
            inner = world.fork()
            after = self.loop_over(value.node, args.values[0] if args.values else UNKNOWN, inner)
            return [(one, UNKNOWN) for one in after]
        if isinstance(value, Builtin):
            if value.name == "adapter.dispatch":
                return self._dispatch(args, world)
            function = self._functions.get(value.name)
            if function is not None:
                return [(world, function(node, args, world))]
        self._unknown_call(value, node, args)
        return [(world, UNKNOWN)]

    def _is_quiet(self, macro: Closure, node: nodes.Call, args: Arguments) -> bool:
        """Whether calling *macro* neither refers to anything nor changes what the template holds."""
        given = [*node.args, *(pair.value for pair in node.kwargs)]
        shared = any(not isinstance(arg, (nodes.Call, nodes.Literal)) for arg in given)
        holders = (list, dict, set, Namespace)
        if holds_function(args.all) or (shared and any(isinstance(value, holders) for value in args.all)):
            return False
        return self.findings.macros.is_quiet(macro)

    @staticmethod
    def _method(owner: Value, name: str, args: Arguments) -> Value:
        if isinstance(owner, Loop):
            return args.values[owner.index0 % len(args.values)] if args.is_whole and args.values else UNKNOWN
        if not args.is_whole:
            if name in CHANGING:
                raise Beyond("a change of a list or dictionary that only rendering knows")
            return UNKNOWN
        return call_method(owner, name, args.values, args.named)

    def _unknown_call(self, value: Value, node: nodes.Call, args: Arguments) -> None:
        """Only rendering knows what is called: it may refer to whatever it is given the means for."""
        callee = node.node
        named = callee.name if isinstance(callee, nodes.Name) else None
        if value is HIDDEN or named in ("ref", "source"):
            self.findings.doubt("a call that may be ref or source", node)
        elif any(map(holds_function, args.all)):
            self.findings.doubt("ref, source or a macro is handed to something unknown", node)

    def call_macro(self, macro: Closure, args: Arguments, world: World, *, is_read: bool = True) -> Pairs:
        """What *macro* returns, or, where that *is_read*, writes."""
        if self._depth >= DEEPEST_CALL:
            raise Beyond("macros that call each other too deeply to be followed")
        if macro.title is not None:
            self.findings.called.setdefault(macro.title)
        scope = Scope(macro.scope, is_decided=True)
        ways = self._bound(macro, args, scope, world)
        if not is_read:
            for way in ways:
                way.write(None)
        self._depth += 1
        outer, self.package = self.package, macro.package or self.package
        found: Pairs = []
        for inner in self.run(list(macro.node.body), ways):
            returned, inner.returned = inner.returned, NOTHING
            written = inner.pop()
            text = written.value if written is not None else UNKNOWN
            found.append((inner, text if returned in (NOTHING, BREAK, CONTINUE) else returned))
        self.package = outer
        self._depth -= 1
        return self.different(found)

    def _bound(self, macro: Closure, args: Arguments, scope: Scope, world: World) -> list[World]:
        """*world*, within *macro*, with its parameters set."""
        world.push(scope, capture=True)
        node = macro.node
        names = [parameter.name for parameter in node.args]
        left = dict(args.named)
        for name, value in zip(names, args.values, strict=False):
            scope.names[name] = value
        for name in names[len(args.values) :]:
            if name in left:
                scope.names[name] = left.pop(name)
        scope.names["varargs"] = tuple(args.values[len(names) :])
        scope.names["caller"] = left.pop("caller", UNDEFINED)
        scope.names["kwargs"] = {name: value for name, value in left.items() if name not in names}
        ways = [world]
        first = len(names) - len(node.defaults)
        for index, name in enumerate(names):
            if name in scope.names:
                continue
            if not args.is_whole or index < first:
                missing: Value = UNDEFINED if args.is_whole else UNKNOWN
                for way in ways:
                    way.scope.names[name] = missing
                continue
            after = []
            for way in ways:
                for one, default in self.evaluate(node.defaults[index - first], way):
                    one.scope.names[name] = default
                    after.append(one)
            ways = after
        return ways

    def _dispatch(self, args: Arguments, world: World) -> Pairs:
        given = [*args.values, args.named.get("macro_namespace")]
        name = args.named.get("macro_name", given[0])
        namespace = given[1] if args.values else args.named.get("macro_namespace")
        if not isinstance(name, str) or not (namespace is None or isinstance(namespace, str)):
            return [(world, UNKNOWN)]
        found = self.findings.macros.dispatched(name, namespace, self.package)
        if not found:
            return [(world, UNKNOWN)]
        return [(world if index == 0 else world.fork(), macro) for index, macro in enumerate(found)]

    def _ref(self, node: nodes.Call, args: Arguments, world: World) -> Value:
        version = args.named.get("version") or args.named.get("v")
        parts = args.values
        if any(part is UNDEFINED for part in (*parts, version)):
            self.findings.undefined(node, "ref() of a name that is not set")
            return UNKNOWN
        whole = args.is_whole and 1 <= len(parts) <= 2 and all(isinstance(part, str) for part in parts)
        if not whole or not isinstance(version, (str, int, float, type(None))):
            self.findings.doubt("ref() of a name that only rendering knows", node)
            return UNKNOWN
        package = parts[0] if len(parts) == 2 else None
        self.findings.resolve(node)
        self.findings.refs.setdefault((package, parts[-1], None if version is None else str(version)))
        return UNKNOWN

    def _source(self, node: nodes.Call, args: Arguments, world: World) -> Value:
        if any(part is UNDEFINED for part in args.values):
            self.findings.undefined(node, "source() of a name that is not set")
        elif not args.is_whole or args.named or len(args.values) != 2:
            self.findings.doubt("source() of names that only rendering knows", node)
        elif all(isinstance(part, str) for part in args.values):
            self.findings.resolve(node)
            self.findings.sources.setdefault((args.values[0], args.values[1]))
        else:
            self.findings.doubt("source() of names that only rendering knows", node)
        return UNKNOWN

    def _config(self, node: nodes.Call, args: Arguments, world: World) -> Value:
        given: dict[str, Value] = {}
        for value in (*args.values, args.named):
            if isinstance(value, dict):
                given |= value
        world.config |= copied(given, {})
        for name in HOOKS:
            self._hook(given.get(name), world)
        return ""

    def _hook(self, hook: Value, world: World) -> None:
        if isinstance(hook, (list, tuple)):
            for entry in hook:
                self._hook(entry, world)
        elif isinstance(hook, dict):
            self._hook(hook.get("sql"), world)
        elif isinstance(hook, str):
            self.follow(hook)

    def follow(self, text: str) -> None:
        """Follow *text*, which is rendered as a template of its own."""
        if "{" not in text:
            return
        try:
            tree = ENVIRONMENT.parse(text)
        except TemplateSyntaxError:
            self.findings.doubt("a text that dbt renders too is not valid Jinja")
            return
        self.run(tree.body, [World(Scope(None))])

    def _render(self, node: nodes.Call, args: Arguments, world: World) -> Value:
        if args.is_whole and len(args.values) == 1 and isinstance(args.values[0], str):
            self.follow(args.values[0])
        else:
            self.findings.doubt("a text that only rendering knows is rendered", node)
        return UNKNOWN

    def _var(self, node: nodes.Call, args: Arguments, world: World) -> Value:
        name = args.values[0] if args.values else args.named.get("name")
        default = args.values[1] if len(args.values) > 1 else args.named.get("default", UNKNOWN)
        return copied(self.findings.value_of(name, default), {}) if isinstance(name, str) else UNKNOWN

    def _return(self, node: nodes.Call, args: Arguments, world: World) -> Value:
        if self._depth:
            world.returned = args.all[0] if args.all else None
        return UNKNOWN

    def _made(self, function: Callable[..., Any], args: Arguments) -> Value:
        if not args.is_whole or (function is not dict and not all(map(is_known, args.all))):
            return UNKNOWN
        self.findings.spend(sum(map(weigh, args.all)) >> 3)
        return apply(function, *args.values, **args.named)

    def _namespace(self, node: nodes.Call, args: Arguments, world: World) -> Value:
        whole = args.is_whole and all(isinstance(value, dict) for value in args.values)
        return (
            Namespace({key: value for given in (*args.values, args.named) for key, value in given.items()})
            if whole
            else UNKNOWN
        )

    def _context_get(self, node: nodes.Call, args: Arguments, world: World) -> Value:
        return self.member(Builtin("context"), args.values[0]) if args.values else HIDDEN


def _range(*bounds: int) -> list[int]:
    found = range(*bounds)
    if len(found) > LARGEST:
        raise Beyond("a range that is too large to be followed")
    return list(found)


def _zip(*lists: Any) -> list[tuple[Any, ...]]:
    return list(zip(*lists, strict=False))


def _unique(values: Any) -> list[Any]:
    return list(dict.fromkeys(values))


def _from_json(text: str, default: Any = None) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return default
