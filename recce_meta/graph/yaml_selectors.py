"""YAML selectors of dbt: their definitions, and the ones that `selector:NAME` in selections means.

    definition    = text | { METHOD: value } | criterion | { union: parts } | { intersection: parts }
    criterion     = { method: METHOD, value: VALUE, parents, children, childrens_parents, …, exclude: parts }
    parts         = [ definition, …, { exclude: parts } ]

A text is one term without blanks or commas as operators. `method: selector` is the definition of a selector
above. Structure and errors follow dbt: https://docs.getdbt.com/reference/node-selection/yaml-selectors
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from operator import and_, or_, sub
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import SelectorError, UnknownNameError
from recce_meta.graph.selector_syntax import SELECTOR, Indirect, Term, parse_term

UNION, INTERSECTION, DIFFERENCE = "union", "intersection", "difference"
OPERATIONS: Mapping[str, Callable[[set[str], set[str]], set[str]]] = {
    UNION: or_,
    INTERSECTION: and_,
    DIFFERENCE: sub,
}
_FLAGS = ("parents", "children", "childrens_parents")


class Criterion(Struct, frozen=True):
    """One term of a YAML selector."""

    term: Term
    indirect: Indirect | None = None
    """Its `indirect_selection`; None for that of the command."""


class Combination(Struct, frozen=True):
    """Set operation on parts of a YAML selector."""

    operation: str
    """`union`, `intersection`, or `difference` of the first part and the second."""
    parts: tuple[Definition, ...]


Definition: TypeAlias = Criterion | Combination


class YamlSelectors(Struct, frozen=True):
    """Selectors of one project, as `selectors:` of a file lists them."""

    entries: tuple[Mapping[str, object], ...]
    source: str
    """File that they were read from, for messages."""

    def definition(self, name: str) -> Definition:
        """Return the definition of the selector *name*.

        Raise UnknownNameError for an unknown name, SelectorError for a definition that dbt rejects.
        """
        for index in reversed(range(len(self.entries))):
            # As in dbt, the last of several selectors with the same name applies.
            if self.entries[index].get("name") == name:
                above = YamlSelectors(self.entries[:index], self.source)
                return _Parser(name, above).root(self.entries[index].get("definition"))
        if not self.entries:
            raise SelectorError(f"Unknown selector '{name}': {self.source} defines no selectors")
        names = [str(entry.get("name")) for entry in self.entries]
        raise UnknownNameError("selector", name, names, where=f"in {self.source}")


SelectorSource: TypeAlias = Callable[[], YamlSelectors]
# A context variable, so that threads with different projects do not share it.
_SOURCE: ContextVar[SelectorSource | None] = ContextVar("source of YAML selectors", default=None)


@contextmanager
def yaml_selectors(source: SelectorSource) -> Iterator[None]:
    """Let `selector:NAME` in selections within the block mean the selectors that *source* returns."""
    before = _SOURCE.set(source)
    try:
        yield
    finally:
        _SOURCE.reset(before)


def reads_yaml_selectors() -> bool:
    """Return True if `selector:NAME` has a meaning here, which a file may change."""
    return _SOURCE.get() is not None


def selector_definition(name: str) -> Definition:
    """Return the definition of the YAML selector *name* of the current project.

    Raise SelectorError if this command or function has no project.
    """
    source = _SOURCE.get()
    if source is None:
        raise SelectorError(
            f"YAML selectors are not read here: 'selector:{name}'",
            hint="use --selector NAME of a command, or define it under selections: in recce_meta.yml",
        )
    return source().definition(name)


def terms_of(definition: Definition) -> Iterator[Term]:
    """Yield all terms of *definition* that select nodes, without those of exclusions."""
    if isinstance(definition, Criterion):
        yield definition.term
        return
    parts = definition.parts[:1] if definition.operation == DIFFERENCE else definition.parts
    for part in parts:
        yield from terms_of(part)


class _Parser:
    """Parser of the definition of one selector."""

    def __init__(self, name: str, above: YamlSelectors) -> None:
        self._name = name
        self._above = above

    @property
    def _where(self) -> str:
        return f"selector '{self._name}' in {self._above.source}"

    def root(self, given: object) -> Definition:
        """Return the definition *given* of the selector itself."""
        if not isinstance(given, str | Mapping):
            raise self._error("'definition' must be a text or a mapping")
        if isinstance(given, Mapping) and len(given) > 1 and (UNION in given or INTERSECTION in given):
            raise self._error(
                f"'{UNION}' or '{INTERSECTION}' must be the only key of the definition, "
                f"found {', '.join(map(str, given))}"
            )
        return self._definition(given)

    def _definition(self, given: object) -> Definition:
        if isinstance(given, str):
            return Criterion(replace(parse_term(given), definition=self._where))
        if not isinstance(given, Mapping):
            raise self._error(f"expected a text or a mapping, found {given!r}")
        for operation in (UNION, INTERSECTION):
            if operation in given:
                return self._combination(operation, given[operation])
        if len(given) == 1:
            (method,) = given
            return self._criterion({"method": method, "value": given[method]})
        if given.get("method") == SELECTOR:
            return self._inherited(given.get("value"))
        if "method" not in given or "value" not in given:
            raise self._error(
                f"expected one key, or 'method' and 'value', found {', '.join(map(str, given))}"
            )
        criterion = self._criterion(given)
        excluded = self._excluded(given["exclude"]) if "exclude" in given else None
        return criterion if excluded is None else Combination(DIFFERENCE, (criterion, excluded))

    def _inherited(self, name: object) -> Definition:
        """Return the definition of a selector above; its operators do not apply, as in dbt."""
        if all(entry.get("name") != name for entry in self._above.entries):
            raise self._error(f"no selector '{name}' is defined above it")
        return self._above.definition(str(name))

    def _combination(self, operation: str, given: object) -> Definition:
        included, excluded = [], None
        for part in self._parts(operation, given):
            # As in dbt, any entry with `exclude` is only the exclusion of the list.
            if not isinstance(part, Mapping) or "exclude" not in part:
                included.append(self._definition(part))
            elif excluded is not None:
                raise self._error(f"'{operation}' has more than one 'exclude'")
            else:
                excluded = self._excluded(part["exclude"])
        combined = Combination(operation, tuple(included))
        return combined if excluded is None else Combination(DIFFERENCE, (combined, excluded))

    def _excluded(self, given: object) -> Definition | None:
        parts = tuple(self._definition(part) for part in self._parts("exclude", given))
        return Combination(UNION, parts) if parts else None

    def _parts(self, key: str, given: object) -> Sequence[object]:
        if not isinstance(given, list):
            raise self._error(f"'{key}' must be a list")
        return given

    def _criterion(self, given: Mapping[object, object]) -> Criterion:
        method, *arguments = str(given["method"]).split(".")
        value = given["value"]
        is_config = method == "config" and isinstance(value, bool | int | float)
        if not isinstance(value, str) and not is_config:
            raise self._error(f"'value' of '{method}' must be a text, found {value!r}")
        parents, children, childrens_parents = (bool(given.get(flag)) for flag in _FLAGS)
        if children and childrens_parents:
            raise self._error("'childrens_parents' cannot be combined with 'children'")
        term = Term(
            text=f"{given['method']}:{value}",
            position=1,
            definition=self._where,
            method=method,
            arguments=tuple(arguments),
            value=str(value),
            number=value if isinstance(value, int | float) and not isinstance(value, bool) else None,
            with_parents=parents,
            parents_depth=self._depth(given, "parents_depth"),
            with_children=children,
            children_depth=self._depth(given, "children_depth"),
            with_childrens_parents=childrens_parents,
        )
        return Criterion(term, self._indirect(given.get("indirect_selection")))

    def _depth(self, given: Mapping[object, object], key: str) -> int | None:
        depth = given.get(key)
        # As in dbt, 0 means any depth.
        if not depth:
            return None
        if isinstance(depth, bool | int) or (isinstance(depth, str) and depth.isdecimal()):
            return int(depth)
        raise self._error(f"'{key}' must be a number, found {depth!r}")

    def _indirect(self, mode: object) -> Indirect | None:
        if mode is None:
            return None
        if mode not in list(Indirect):
            known = [one.value for one in Indirect]
            raise UnknownNameError("indirect_selection", str(mode), known, where=f"in {self._where}")
        return Indirect(mode)

    def _error(self, problem: str) -> SelectorError:
        return SelectorError(f"Invalid {self._where}: {problem}")
