"""What following a template has found, and how much more of it may be followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from jinja2 import nodes

from recce_meta.extractors.jinja.values import UNKNOWN, Beyond, Closure, Value

MOST_STEPS = 60_000
"""Expressions and statements that are followed in one template, loops and macros unrolled."""
DEEPEST_CALL = 24

Ref = tuple["str | None", str, "str | None"]
"""Package, name and version; None where the template names none."""


class Macros(Protocol):
    """The macros that a template can call beside its own."""

    def find(self, name: str, package: str | None) -> Closure | None:
        """The macro that *name* means in a template of *package*."""

    def has_package(self, name: str) -> bool:
        """Whether *name* is a package with macros."""

    def of_package(self, package: str, name: str) -> Closure | None:
        """The macro *name* of *package*."""

    def dispatched(self, name: str, namespace: str | None, package: str | None) -> Sequence[Closure]:
        """The macros that `adapter.dispatch` may find."""

    def is_quiet(self, macro: Closure) -> bool:
        """Whether *macro*, and whatever it calls, refers to nothing and configures nothing."""


class NoMacros:
    """Where no macros are known."""

    def find(self, name: str, package: str | None) -> Closure | None:
        """None."""
        return None

    def has_package(self, name: str) -> bool:
        """False."""
        return False

    def of_package(self, package: str, name: str) -> Closure | None:
        """None."""
        return None

    def dispatched(self, name: str, namespace: str | None, package: str | None) -> Sequence[Closure]:
        """None at all."""
        return ()

    def is_quiet(self, macro: Closure) -> bool:
        """False."""
        return False


class Findings:
    """References, in the order in which they are met, and whether there may be others."""

    def __init__(
        self,
        *,
        variable: Callable[[str], tuple[bool, Any]] | None = None,
        macros: Macros | None = None,
        package: str | None = None,
        own: frozenset[str] = frozenset(),
    ) -> None:
        self.variable = variable
        """Whether a variable is set, and to what; None where nobody knows."""
        self.macros: Macros = macros or NoMacros()
        self.package = package
        self.own = own
        """Names that the template itself sets somewhere."""
        self.refs: dict[Ref, None] = {}
        self.sources: dict[tuple[str, str], None] = {}
        self.called: dict[str, None] = {}
        self.reasons: dict[str, None] = {}
        """Why the references are not all there is."""
        self._undefined: dict[int, str] = {}
        self._resolved: set[int] = set()
        self._steps = 0

    def spend(self, steps: int = 1) -> None:
        """Count *steps*; raises Beyond where there were too many."""
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise Beyond("more steps than are followed")

    def doubt(self, reason: str, node: nodes.Node | None = None) -> None:
        """Say that *reason* keeps references from being known."""
        self.reasons.setdefault(reason if node is None else f"line {node.lineno}: {reason}")

    def undefined(self, node: nodes.Node, reason: str) -> None:
        """A reference at *node* whose name is not set on the way at hand; on another it may be."""
        self._undefined[id(node)] = f"line {node.lineno}: {reason}"

    def resolve(self, node: nodes.Node) -> None:
        """The reference at *node* has a name on one way at least."""
        self._resolved.add(id(node))

    @property
    def doubts(self) -> Iterable[str]:
        """Every reason why there may be other references."""
        never = (reason for node, reason in self._undefined.items() if node not in self._resolved)
        return dict.fromkeys((*self.reasons, *never))

    def value_of(self, name: str, default: Value) -> Value:
        """`var(name, default)`."""
        if self.variable is None:
            return UNKNOWN
        found, value = self.variable(name)
        return value if found else default


def keyword_values(pairs: Mapping[str, Value], *names: str) -> list[Value]:
    """The values of *names* in *pairs*, None where they are absent."""
    return [pairs.get(name) for name in names]
