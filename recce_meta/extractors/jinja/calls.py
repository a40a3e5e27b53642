"""Evaluator of calls in a template: dbt's functions, and macros of the project and its packages.

Macros are found by dbt's lookup rules: https://docs.getdbt.com/reference/dbt-jinja-functions/dispatch
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from recce_meta.extractors.jinja.constants import CHANGING, LARGEST, apply, call_method
from recce_meta.extractors.jinja.expressions import Arguments, Expressions, Pairs, different
from recce_meta.extractors.jinja.grammar import ENVIRONMENT
from recce_meta.extractors.jinja.state import (
    DEEPEST_CALL,
    HIDDEN,
    NOTHING,
    REFERRING,
    UNDEFINED,
    UNKNOWN,
    Beyond,
    BlockScope,
    BoundMethod,
    Builtin,
    Closure,
    Findings,
    Loop,
    NamespaceState,
    PathState,
    Value,
    copied,
    holds_function,
    is_known,
    weigh,
)
from recce_meta.models import MacroMetadata
from recce_meta.models.adapters import ADAPTER_PARENTS, is_builtin

HOOKS = ("pre_hook", "post_hook", "pre-hook", "post-hook")
"""Settings with templates that dbt also renders, so that their references count."""
BREAK, CONTINUE = Builtin("break"), Builtin("continue")


class Calls(Expressions):
    """Evaluator of calls, which records their references."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(findings)
        self._depth = 0
        self.unread: nodes.Node | None = None
        """The expression with an unused value."""
        self._functions: Mapping[str, Callable[[nodes.Call, Arguments, PathState], Value]] = {
            "ref": self._ref,
            "source": self._source,
            "function": self._function,
            "config": self._config,
            # The settings of other files are not known here.
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

    def run(self, body: list[nodes.Node], worlds: list[PathState]) -> list[PathState]:
        """Return *worlds* after *body*."""
        raise NotImplementedError

    def loop_over(self, node: nodes.For, value: Value, world: PathState) -> list[PathState]:
        """Return the worlds after the loop *node* over *value*."""
        raise NotImplementedError

    def call(self, value: Value, node: nodes.Call, args: Arguments, world: PathState) -> Pairs:
        """Return the possible results of calling *value*."""
        self.findings.spend()
        if isinstance(value, BoundMethod):
            return [(world, self._method(value.owner, value.name, args))]
        if isinstance(value, Closure):
            # Its output is not used and it has no other effect, so it need not be followed.
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
        """Return True if calling *macro* neither adds references nor changes values of the template."""
        given = [*node.args, *(pair.value for pair in node.kwargs)]
        shared = any(not isinstance(arg, (nodes.Call, nodes.Literal)) for arg in given)
        holders = (list, dict, set, NamespaceState)
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
        """Add a doubt if an unknown callable can be `ref` or `source`, or can call what it receives."""
        callee = node.node
        named = callee.name if isinstance(callee, nodes.Name) else None
        if value is HIDDEN or named in ("ref", "source", "function"):
            self.findings.doubt("a call that may be ref, source or function", node)
        elif any(map(holds_function, args.all)):
            self.findings.doubt("ref, source or a macro is handed to something unknown", node)

    def call_macro(self, macro: Closure, args: Arguments, world: PathState, *, is_read: bool = True) -> Pairs:
        """Return the possible results of *macro*: its return value, or its output if *is_read*."""
        if self._depth >= DEEPEST_CALL:
            raise Beyond("macros that call each other too deeply to be followed")
        if macro.title is not None:
            self.findings.called.setdefault(macro.title)
        scope = BlockScope(macro.scope, is_decided=True)
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
        return different(found)

    def _bound(self, macro: Closure, args: Arguments, scope: BlockScope, world: PathState) -> list[PathState]:
        """Return the worlds inside *macro*, with its parameters set."""
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
        # Defaults belong to the last parameters.
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

    def _dispatch(self, args: Arguments, world: PathState) -> Pairs:
        given = [*args.values, args.named.get("macro_namespace")]
        name = args.named.get("macro_name", given[0])
        namespace = given[1] if args.values else args.named.get("macro_namespace")
        if not isinstance(name, str) or not (namespace is None or isinstance(namespace, str)):
            return [(world, UNKNOWN)]
        found = self.findings.macros.dispatched(name, namespace, self.package)
        if not found:
            return [(world, UNKNOWN)]
        return [(world if index == 0 else world.fork(), macro) for index, macro in enumerate(found)]

    def _ref(self, node: nodes.Call, args: Arguments, world: PathState) -> Value:
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

    def _source(self, node: nodes.Call, args: Arguments, world: PathState) -> Value:
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

    def _function(self, node: nodes.Call, args: Arguments, world: PathState) -> Value:
        if not args.is_whole or args.named or not all(isinstance(part, str) for part in args.values):
            self.findings.doubt("function() of a name that only rendering knows", node)
        elif args.values:
            self.findings.functions.setdefault(([None, *args.values][-2], args.values[-1]))
        return UNKNOWN

    def _config(self, node: nodes.Call, args: Arguments, world: PathState) -> Value:
        given: dict[str, Value] = {}
        for value in (*args.values, args.named):
            if isinstance(value, dict):
                given |= value
        # The template may change its list or dictionary later.
        world.config |= copied(given, {})
        for name in HOOKS:
            self._hook(given.get(name), world)
        return ""

    def _hook(self, hook: Value, world: PathState) -> None:
        if isinstance(hook, (list, tuple)):
            for entry in hook:
                self._hook(entry, world)
        elif isinstance(hook, dict):
            self._hook(hook.get("sql"), world)
        elif isinstance(hook, str):
            self.follow(hook)

    def follow(self, text: str) -> None:
        """Follow *text*, which is rendered as a separate template."""
        if "{" not in text:
            return
        try:
            tree = ENVIRONMENT.parse(text)
        except TemplateSyntaxError:
            self.findings.doubt("a text that dbt renders too is not valid Jinja")
            return
        # A separate template sees none of the names that are set here.
        self.run(tree.body, [PathState(BlockScope(None))])

    def _render(self, node: nodes.Call, args: Arguments, world: PathState) -> Value:
        if args.is_whole and len(args.values) == 1 and isinstance(args.values[0], str):
            self.follow(args.values[0])
        else:
            self.findings.doubt("a text that only rendering knows is rendered", node)
        return UNKNOWN

    def _var(self, node: nodes.Call, args: Arguments, world: PathState) -> Value:
        name = args.values[0] if args.values else args.named.get("name")
        default = args.values[1] if len(args.values) > 1 else args.named.get("default", UNKNOWN)
        return copied(self.findings.value_of(name, default), {}) if isinstance(name, str) else UNKNOWN

    def _return(self, node: nodes.Call, args: Arguments, world: PathState) -> Value:
        if self._depth:
            world.returned = args.all[0] if args.all else None
        return UNKNOWN

    def _made(self, function: Callable[..., Any], args: Arguments) -> Value:
        if not args.is_whole or (function is not dict and not all(map(is_known, args.all))):
            return UNKNOWN
        self.findings.spend(sum(map(weigh, args.all)) >> 3)
        return apply(function, *args.values, **args.named)

    def _namespace(self, node: nodes.Call, args: Arguments, world: PathState) -> Value:
        whole = args.is_whole and all(isinstance(value, dict) for value in args.values)
        return (
            NamespaceState(
                {key: value for given in (*args.values, args.named) for key, value in given.items()}
            )
            if whole
            else UNKNOWN
        )

    def _context_get(self, node: nodes.Call, args: Arguments, world: PathState) -> Value:
        return self.member(Builtin("context"), args.values[0]) if args.values else HIDDEN


def _range(*bounds: int) -> list[int]:
    found = range(*bounds)
    # A range has a length before its list takes memory.
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


_UNKNOWN_ANSWER = frozenset(["is_incremental", "should_full_refresh", "statement", "run_query"])
"""dbt macros with results that depend on the database, even if a project redefines them."""


class ProjectMacros:
    """Macros by package and name, without dbt's built-in macros, which have no references."""

    def __init__(
        self,
        macros: Iterable[MacroMetadata],
        *,
        root: str,
        adapter_type: str | None = None,
        search_orders: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._root = root
        self._prefixes = None if not adapter_type else (adapter_type, *ADAPTER_PARENTS.get(adapter_type, ()))
        self._search_orders = search_orders or {}
        self._packages: dict[str, dict[str, MacroMetadata]] = defaultdict(dict)
        for macro in macros:
            if not is_builtin(macro.package_name):
                self._packages[macro.package_name][macro.name] = macro
        self._named: dict[str, list[MacroMetadata]] = defaultdict(list)
        for macro in (macro for found in self._packages.values() for macro in found.values()):
            self._named[macro.name].append(macro)
            if "__" in macro.name:
                self._named[macro.name.split("__", 1)[1]].append(macro)
        self._parsed: dict[str, Closure | None] = {}
        self._words: dict[str, frozenset[str]] = {}
        self._quiet: dict[str, bool] = {}

    def find(self, name: str, package: str | None) -> Closure | None:
        """Return the macro *name* as visible in a template of *package*, else None."""
        for place in (package, self._root):
            found = self.of_package(place, name) if place is not None else None
            if found is not None:
                return found
        return None

    def has_package(self, name: str) -> bool:
        """Return True if *name* is a package with macros."""
        return name in self._packages

    def of_package(self, package: str, name: str) -> Closure | None:
        """Return the macro *name* of *package*; None if it is missing, or depends on the database."""
        macro = self._packages.get(package, {}).get(name)
        if macro is None or name in _UNKNOWN_ANSWER:
            return None
        return self._closure(macro)

    def _closure(self, macro: MacroMetadata) -> Closure | None:
        if macro.unique_id not in self._parsed:
            self._parsed[macro.unique_id] = _parsed(macro)
        return self._parsed[macro.unique_id]

    def dispatched(self, name: str, namespace: str | None, package: str | None) -> Sequence[Closure]:
        """Return the macro that `adapter.dispatch` finds; all candidates if the adapter is unknown."""
        places: Sequence[str | None] = self._search_orders.get(namespace or "") or (
            self._root,
            namespace or package,
        )
        found = []
        for place in dict.fromkeys(place for place in places if place is not None):
            if self._prefixes is None:
                ending = f"__{name}"
                names = [one for one in self._packages.get(place, {}) if one.endswith(ending)]
                found += [macro for one in names if (macro := self.of_package(place, one))]
                continue
            for prefix in (*self._prefixes, "default"):
                macro = self.of_package(place, f"{prefix}__{name}")
                if macro is not None:
                    return [macro]
        return found

    def is_quiet(self, macro: Closure) -> bool:
        """Return True if *macro* and the macros it calls have no references and no configuration."""
        if macro.title is None:
            return False
        if macro.title not in self._quiet:
            self._quiet[macro.title] = self._hears_nothing(macro)
        return self._quiet[macro.title]

    def _hears_nothing(self, macro: Closure) -> bool:
        """Return True if neither *macro* nor any macro of any package that it may name uses `_LOUD` names."""
        seen, pending = {macro.title}, [macro]
        while pending:
            words = self._words_of(pending.pop())
            # By words instead of calls: a false alarm only costs time.
            if words & _LOUD:
                return False
            for found in (found for word in words for found in self._named.get(word, ())):
                if found.unique_id not in seen:
                    seen.add(found.unique_id)
                    closure = self._closure(found)
                    if closure is not None:
                        pending.append(closure)
        return True

    def _words_of(self, macro: Closure) -> frozenset[str]:
        title = macro.title or ""
        if title not in self._words:
            node = macro.node
            self._words[title] = frozenset(
                {
                    *(name.name for name in node.find_all(nodes.Name)),
                    *(part.attr for part in node.find_all(nodes.Getattr)),
                    # A name may be a string: `context['ref']`.
                    *(str(const.value) for const in node.find_all(nodes.Const)),
                }
            )
        return self._words[title]


_LOUD = REFERRING | {"config"}
"""Names that a macro needs to affect a node's references or configuration."""


def _parsed(macro: MacroMetadata) -> Closure | None:
    """Return the parsed *macro*; None if its text is invalid, or does not define a macro of that name."""
    try:
        tree = ENVIRONMENT.parse(macro.macro_sql)
    except (TemplateSyntaxError, RecursionError):
        return None
    for node in tree.find_all(nodes.Macro):
        if node.name == macro.name:
            return Closure(node, BlockScope(None), package=macro.package_name, title=macro.unique_id)
    return None
