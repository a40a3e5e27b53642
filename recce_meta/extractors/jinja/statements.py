"""Interpreter of a template's statements, which takes every branch and unrolls loops over constants."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jinja2 import nodes

from recce_meta.extractors.jinja.calls import BREAK, CONTINUE, Calls
from recce_meta.extractors.jinja.constants import CHANGING, filtered, truth_of
from recce_meta.extractors.jinja.expressions import Arguments, decides
from recce_meta.extractors.jinja.state import (
    NOTHING,
    UNKNOWN,
    BlockScope,
    Closure,
    Findings,
    Loop,
    NamespaceState,
    PathState,
    Value,
    distinct,
    is_known,
    joined,
    weigh,
)

_CHANGES_NOTHING = frozenset(
    "ref source var env_var is_incremental log print run_query range should_full_refresh".split()
)
_CHANGE = (
    nodes.Assign,
    nodes.AssignBlock,
    nodes.ExprStmt,
    nodes.Macro,
    nodes.CallBlock,
    nodes.Break,
    nodes.Continue,
)


_STEPS_OF_A_WORLD = 10


class Interpreter(Calls):
    """Interpreter that follows a template through all of its branches."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(findings)
        self._changing: dict[int, bool] = {}
        self._statements: dict[type, Callable[..., list[PathState]]] = {
            nodes.Output: self._output,
            nodes.Assign: self._assign,
            nodes.AssignBlock: self._assign_block,
            nodes.ExprStmt: self._expression,
            nodes.If: self._if,
            nodes.For: self._for,
            nodes.Macro: self._macro,
            nodes.CallBlock: self._call_block,
            nodes.FilterBlock: self._filter_block,
            nodes.With: self._with,
            nodes.Scope: self._scope,
            nodes.Block: self._scope,
            nodes.ScopedEvalContextModifier: self._scope,
            nodes.Break: lambda node, world: _jump(world, BREAK),
            nodes.Continue: lambda node, world: _jump(world, CONTINUE),
        }

    def run(self, body: Sequence[nodes.Node], worlds: list[PathState]) -> list[PathState]:
        """Return *worlds* after *body*."""
        for node in body:
            going = [world for world in worlds if world.returned is NOTHING]
            ended = [world for world in worlds if world.returned is not NOTHING]
            if not going:
                return ended
            worlds = ended
            for world in going:
                worlds = [*worlds, *self._statement(node, world)]
            if len(worlds) > 1:
                # Comparing worlds costs more than following a statement.
                self.findings.spend(_STEPS_OF_A_WORLD * len(worlds))
                worlds = distinct(worlds)
        return worlds

    def _statement(self, node: nodes.Node, world: PathState) -> list[PathState]:
        self.findings.spend()
        method = self._statements.get(type(node))
        if method is not None:
            return method(node, world)
        if isinstance(node, (nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends)):
            self.findings.doubt("import, include and extends bring in what is not here", node)
        return [world]

    def _output(self, node: nodes.Output, world: PathState) -> list[PathState]:
        ways = [world]
        for part in node.nodes:
            if isinstance(part, nodes.TemplateData):
                for way in ways:
                    way.write(part.data)
                continue
            after: list[PathState] = []
            for way in ways:
                if way.returned is not NOTHING:
                    after.append(way)
                    continue
                # Nothing needs the output if it is not captured, or if the captured text is unknown already.
                self.unread = part if way.out is None or not way.out.is_known else None
                for one, value in self.evaluate(part, way):
                    one.write(str(value) if is_known(value) else None)
                    after.append(one)
            ways = distinct(after)
        return ways

    def _expression(self, node: nodes.ExprStmt, world: PathState) -> list[PathState]:
        return [after for after, _ in self.evaluate(node.node, world)]

    def _assign(self, node: nodes.Assign, world: PathState) -> list[PathState]:
        found = []
        for after, value in _apart(self.evaluate(node.node, world)):
            self._set(node.target, value, after)
            found.append(after)
        return found

    def _set(self, target: nodes.Node, value: Value, world: PathState) -> None:
        if isinstance(target, nodes.Name):
            world.scope.names[target.name] = value
        elif isinstance(target, nodes.NSRef):
            scope = world.scope.find(target.name)
            namespace = scope.names[target.name] if scope is not None else None
            if isinstance(namespace, NamespaceState):
                namespace.names[target.attr] = value
                self.findings.spend(weigh(namespace) >> 3)
        elif isinstance(target, nodes.Tuple):
            fits = isinstance(value, (list, tuple)) and len(value) == len(target.items)
            values = value if fits else [UNKNOWN] * len(target.items)
            for item, part in zip(target.items, values, strict=True):
                self._set(item, part, world)

    def _assign_block(self, node: nodes.AssignBlock, world: PathState) -> list[PathState]:
        found = []
        for after, text in self._captured(node.body, world):
            value = text
            if node.filter is not None:
                value = self._filtered(node.filter, text, after)
            self._set(node.target, value, after)
            found.append(after)
        return found

    def _captured(self, body: list[nodes.Node], world: PathState) -> list[tuple[PathState, Value]]:
        """Return the possible outputs of *body*, run in a new scope."""
        world.push(BlockScope(world.scope), capture=True)
        found: list[tuple[PathState, Value]] = []
        for after in self.run(body, [world]):
            written = after.pop()
            found.append((after, written.value if written is not None else UNKNOWN))
        return found

    def _filtered(self, node: nodes.Filter, value: Value, world: PathState) -> Value:
        """Return *value* after the filters of a block, innermost first; arguments can have references."""
        if isinstance(node.node, nodes.Filter):
            value = self._filtered(node.node, value, world)
        args = [self.evaluate(arg, world)[0][1] for arg in node.args]
        kwargs = {str(pair.key): self.evaluate(pair.value, world)[0][1] for pair in node.kwargs}
        return filtered(node.name, value, args, kwargs)

    def _if(self, node: nodes.If, world: PathState) -> list[PathState]:
        found: list[PathState] = []
        waiting = [world]
        for test, body in [(node.test, node.body), *((other.test, other.body) for other in node.elif_)]:
            left: list[PathState] = []
            for way in waiting:
                for after, value in _apart(self.evaluate(test, way)):
                    decided = decides(test, value, after)
                    if decided is None and not self._changes(body, after):
                        # The path continues alike with and without the body, so it need not be divided.
                        self.run(body, [after])
                        left.append(after)
                        continue
                    if decided is not False:
                        found += self.run(body, [after.fork() if decided is None else after])
                    if decided is not True:
                        left.append(after)
            waiting = left
        return [*found, *(self.run(node.else_, waiting) if node.else_ else waiting)]

    def _changes(self, body: Sequence[nodes.Node], world: PathState) -> bool:
        """Return True if running *body* has an effect: its output is used, or it may change a value."""
        if world.out is not None and world.out.is_known:
            return True
        key = id(body)
        if key not in self._changing:
            self._changing[key] = any(
                isinstance(node, _CHANGE) or any(True for _ in node.find_all(_CHANGE)) or _calls(node)
                for node in body
            )
        return self._changing[key]

    def _for(self, node: nodes.For, world: PathState) -> list[PathState]:
        found: list[PathState] = []
        for after, value in _apart(self.evaluate(node.iter, world)):
            found += self.loop_over(node, value, after)
        return found

    def loop_over(self, node: nodes.For, value: Value, world: PathState) -> list[PathState]:
        """Return the worlds after the loop *node* over *value*."""
        if isinstance(value, (list, tuple, str, dict, set)):
            items = self._chosen(node, list(value), world)
            worlds = [world]
            for index, item in enumerate(items):
                worlds = self._turn(node, item, Loop(node, items, index), worlds)
        else:
            worlds = self._any_turns(node, world)
        for way in worlds:
            if way.returned is BREAK:
                way.returned = NOTHING
        if not node.else_:
            return worlds
        # Both ways, because another environment may have other items.
        return [after for way in worlds for after in [*self.run(node.else_, [way.fork()]), way]]

    def _chosen(self, node: nodes.For, items: list[Value], world: PathState) -> list[Value]:
        """Return the *items* that pass the loop's condition."""
        if node.test is None:
            return items
        found = []
        for item in items:
            world.push(BlockScope(world.scope, is_decided=True), capture=False)
            self._set(node.target, item, world)
            values = [value for _, value in self.evaluate(node.test, world)]
            # An item that may pass counts, because every possible reference does.
            if len(values) != 1 or truth_of(values[0]) is not False:
                found.append(item)
            world.pop()
        return found

    def _turn(self, node: nodes.For, item: Value, loop: Value, worlds: list[PathState]) -> list[PathState]:
        """Return *worlds* after one iteration with *item*."""
        going = [world for world in worlds if world.returned is NOTHING]
        ended = [world for world in worlds if world.returned is not NOTHING]
        for world in going:
            world.push(BlockScope(world.scope, is_decided=True), capture=False)
            self._set(node.target, item, world)
            world.scope.names["loop"] = loop
        after = self.run(node.body, going)
        for world in after:
            written = world.out
            world.pop()
            world.out = written
            if world.returned is CONTINUE:
                world.returned = NOTHING
        return distinct([*ended, *after])

    def _any_turns(self, node: nodes.For, world: PathState) -> list[PathState]:
        """Return the worlds after any number of iterations over unknown items; changed values are unknown."""
        # The second turn sees what the first one changed. Whatever differs then is unknown.
        for _ in range(2):
            turned = self._turn(node, UNKNOWN, UNKNOWN, [world.fork()])
            for way in turned:
                if way.returned is BREAK:
                    way.returned = NOTHING
            going = [way for way in turned if way.returned is NOTHING]
            returned = [way for way in turned if way.returned is not NOTHING]
            before = world.key()
            world = joined([world, *going])
            if world.key() == before:
                break
        return [*returned, world]

    def _macro(self, node: nodes.Macro, world: PathState) -> list[PathState]:
        world.scope.names[node.name] = Closure(node, world.scope)
        return [world]

    def _call_block(self, node: nodes.CallBlock, world: PathState) -> list[PathState]:
        """Run a call with a body: a known macro decides whether to call it, an unknown callee may call it."""
        caller = Closure(node, world.scope)
        own = self._known_macro(node.call, world)
        if own is None:
            given = [UNKNOWN] * len(node.args)
            ways = [after for after, _ in self.call_macro(caller, Arguments(given, {}), world)]
            found = [after for way in ways for after, _ in self.evaluate(node.call, way)]
            for way in found:
                way.write(None)
            return found
        found = []
        keyword = nodes.Keyword("caller", nodes.Const(None), lineno=node.lineno)
        call = nodes.Call(
            node.call.node,
            node.call.args,
            [*node.call.kwargs, keyword],
            node.call.dyn_args,
            node.call.dyn_kwargs,
            lineno=node.lineno,
        )
        keyword.value = nodes.Name("caller of the block", "load", lineno=node.lineno)
        # A name with spaces, which the template cannot use itself.
        world.scope.names["caller of the block"] = caller
        for after, value in self.evaluate(call, world):
            after.write(str(value) if is_known(value) else None)
            found.append(after)
        return found

    def _known_macro(self, call: nodes.Call, world: PathState) -> Closure | None:
        if not isinstance(call.node, (nodes.Name, nodes.Getattr)):
            return None
        value = self.evaluate(call.node, world)[0][1]
        return value if isinstance(value, Closure) else None

    def _filter_block(self, node: nodes.FilterBlock, world: PathState) -> list[PathState]:
        found = []
        for after, text in self._captured(node.body, world):
            value = self._filtered(node.filter, text, after)
            after.write(str(value) if is_known(value) else None)
            found.append(after)
        return found

    def _with(self, node: nodes.With, world: PathState) -> list[PathState]:
        found: list[PathState] = []
        for after, values in self.each(node.values, world):
            after.push(BlockScope(after.scope), capture=False)
            for target, value in zip(node.targets, values, strict=True):
                self._set(target, value, after)
            found += _left(self.run(node.body, [after]))
        return found

    def _scope(self, node: nodes.Scope | nodes.Block, world: PathState) -> list[PathState]:
        world.push(BlockScope(world.scope), capture=False)
        return _left(self.run(node.body, [world]))


def _apart(pairs: list[tuple[PathState, Value]]) -> list[tuple[PathState, Value]]:
    """Return *pairs* in which every world is distinct; a repeated world is forked."""
    seen: set[int] = set()
    found = []
    for world, value in pairs:
        own = world.fork() if id(world) in seen else world
        seen.add(id(own))
        found.append((own, value))
    return found


def _jump(world: PathState, where: Value) -> list[PathState]:
    world.returned = where
    return [world]


def _left(worlds: list[PathState]) -> list[PathState]:
    for world in worlds:
        written = world.out
        world.pop()
        world.out = written
    return worlds


def _calls(node: nodes.Node) -> bool:
    """Return True if *node* has a call that may change a value."""
    for call in node.find_all(nodes.Call):
        callee = call.node
        if isinstance(callee, nodes.Name) and callee.name in _CHANGES_NOTHING:
            continue
        if (
            isinstance(callee, nodes.Getattr)
            and callee.attr not in CHANGING
            and isinstance(callee.node, nodes.Name)
        ):
            continue
        return True
    return False
