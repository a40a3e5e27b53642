"""What a run tells of variables that nobody gave: artifacts keep what became of them.

Four sorts of evidence, the surest first, and all of it about nodes of the package that asks:

1. settings that are kept both as written and as rendered (`schema: "{{ var('crm_schema', 'crm') }}"`
   beside `crm_prod`);
2. identifiers of sources, for a variable called `<source>_<table>_identifier`, as packages name them;
3. parents that nothing else in a node's code explains, for a variable that stands where a relation does;
4. nodes that read the variable: which value makes of their code what dbt compiled, and the parents and
   the configuration that they have.

What `target.name` is or is not, where the run does not say, is found by elimination, from the names that
code compares it with.

The second, and the third where several parents are left, go by names. For the others a value is taken
only where rendering with it gives exactly what the artifacts hold, and the default does not. What dbt
compiled of the node being rendered is never looked at, whatever is asked; and while evidence is weighed,
nothing is found out through what was compiled of third nodes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from msgspec import Struct

from recce_meta.errors import TemplateError
from recce_meta.models import MacroMetadata, NodeMetadata
from recce_meta.render.observations import (
    MARK,
    READ,
    Key,
    Observation,
    agrees,
    has_shape,
    parents_of,
    plain,
    reference_to,
    settings_of,
    shape_of,
    values_in,
    variables_of_macros,
)
from recce_meta.render.target import OtherName

UNSET: Any = object()
"""Instead of the value that a variable does not have."""

_AS_RELATION = re.compile(rf"(?:\bfrom|\bjoin|,)\s+{MARK}", re.IGNORECASE)
_MOST_WITNESSES = 3
"""As many nodes and settings are asked about one variable."""
_LONGEST_WITNESS = 10_000
_MOST_GROWTH = 20
"""How much longer than a witness may be what becomes of it."""
_TARGET: Key = (None, "target.name")
_NAME_COMPARED = re.compile(
    r"""target\.name\s*(?:==|!=|(?:not\s+)?in\b)\s*([\[(][^\])]{0,300}[\])]|'[^']{0,99}'|"[^"]{0,99}")"""
)
_QUOTED = re.compile(r"""(['"])(.*?)\1""")
_MOST_NAMES = 8
_IDENTIFIER = "_identifier"
_READERS = frozenset(["model", "snapshot", "analysis"])


class Finding(Struct, frozen=True):
    """A variable's value, and what tells it."""

    value: Any
    reason: str


class Evidence:
    """What the nodes of one run tell of its variables.

    *observe* renders the code of a node, *evaluate* a setting of a node; both raise TemplateError.
    *separately* is a context in which that costs the rendering at hand nothing, and which says whether
    it may cost more.
    """

    def __init__(
        self,
        nodes: Mapping[str, NodeMetadata],
        macros: Iterable[MacroMetadata],
        *,
        observe: Callable[[NodeMetadata], Observation],
        evaluate: Callable[[str, NodeMetadata], Any],
        separately: Callable[[], Any],
    ) -> None:
        self._nodes = nodes
        self._macros = {macro.unique_id: macro for macro in macros}
        self._observe, self._evaluate, self._separately = observe, evaluate, separately
        self.rendering: str | None = None
        """The node that the caller wants: what dbt compiled of it is no evidence."""
        self._tried: dict[Key, Any] = {}
        self._pending: set[Key] = set()
        self._known: dict[tuple[Key, bool], Finding | None] = {}
        self._testimony: dict[tuple[Key, str, bool], Any] = {}
        self._names_allowed: dict[tuple[str, bool], frozenset[str | None]] = {}
        self._seen: dict[str, Observation | str | None] = {}

    def find(
        self, name: str, package: str | None, default: Any, asking: NodeMetadata | None
    ) -> Finding | None:
        """The value of the variable, where the run tells; *default* is what the template would take."""
        key = package, name
        if key in self._tried:
            return Finding(self._tried[key], "a trial")
        if key in self._pending:
            return None
        within = bool(self._pending)
        self._pending.add(key)
        try:
            with self._separately() as may_go_on:
                if not may_go_on:
                    return None
                found = self._without_code(key, default)
                if found is None and not within:
                    own = {self.rendering, asking.unique_id if asking is not None else None}
                    found = self._of_witnesses(key, own)
                return found
        finally:
            self._pending.discard(key)

    def _without_code(self, key: Key, default: Any) -> Finding | None:
        """What needs nothing that dbt compiled, and is the same whoever asks."""
        known = key, default is UNSET
        if known not in self._known:
            found = self._of_settings(key) or self._of_source(key)
            if found is None and default is UNSET:
                found = self._of_parents(key)
            self._known[known] = found
        return self._known[known]

    # ---- target.name --------------------------------------------------------------------------------

    def target_name(self, asking: NodeMetadata | None) -> Finding | None:
        """What `target.name` is, or which names it is not; None where nothing tells."""
        if _TARGET in self._tried:
            return Finding(self._tried[_TARGET], "a trial")
        if self._pending:
            return None
        self._pending.add(_TARGET)
        try:
            with self._separately() as may_go_on:
                return self._eliminated(asking) if may_go_on else None
        finally:
            self._pending.discard(_TARGET)

    def _eliminated(self, asking: NodeMetadata | None) -> Finding | None:
        names = self._target_names
        possible = set(names)
        reasons: list[str] = []
        for reason, fitting in self._told_of_target(asking):
            left = possible & fitting
            if left and left != possible:
                possible = left
                reasons.append(reason)
        if not reasons:
            return None
        named = frozenset(name for name in names if isinstance(name, str))
        if len(possible) == 1 and (only := possible.pop()) is not None:
            return Finding(only, ", ".join(reasons))
        excluded = named - possible
        return Finding(OtherName(excluded), ", ".join(reasons)) if excluded else None

    @cached_property
    def _target_names(self) -> frozenset[str | None]:
        """The names that code compares `target.name` with, and None for any other."""
        texts = [node.raw_code or "" for node in self._nodes.values()]
        texts += [macro.macro_sql for macro in self._macros.values()]
        texts += [written for node in self._nodes.values() for _, written, _ in settings_of(node)]
        compared = [part for text in texts if "target" in text for part in _NAME_COMPARED.findall(text)]
        names = sorted({name for part in compared for _, name in _QUOTED.findall(part)})
        return frozenset([*names[:_MOST_NAMES], None])

    def _told_of_target(self, asking: NodeMetadata | None) -> Iterator[tuple[str, frozenset[str | None]]]:
        """What settings and nodes say of `target.name`: each with the names that it allows."""
        told: set[tuple[str, str]] = set()
        for node in self._nodes.values():
            for setting, written, rendered in settings_of(node):
                if "target.name" in written and (written, str(rendered)) not in told:
                    if len(told) >= _MOST_WITNESSES:
                        return
                    told.add((written, str(rendered)))
                    yield (
                        f"'{setting}' of {node.unique_id}",
                        self._allowed_by_setting(node, written, rendered),
                    )
        own = {self.rendering, asking.unique_id if asking is not None else None}
        for node in self._witnesses.get(_TARGET, ())[:_MOST_WITNESSES]:
            by_code = node.unique_id not in own and node.compiled_code is not None
            what = "what dbt compiled of" if by_code else "the parents and the configuration of"
            yield f"{what} {node.unique_id}", self._allowed_by_node(node, by_code)

    def _allowed_by_setting(self, node: NodeMetadata, written: str, rendered: Any) -> frozenset[str | None]:
        results = {
            name: self._result(_TARGET, self._as_name(name), node, written) for name in self._target_names
        }
        return frozenset(name for name, result in results.items() if result in (None, str(rendered)))

    def _allowed_by_node(self, node: NodeMetadata, by_code: bool) -> frozenset[str | None]:
        known = node.unique_id, by_code
        if known not in self._names_allowed:
            seen = {name: self._tried_out(_TARGET, node, self._as_name(name)) for name in self._target_names}
            self._names_allowed[known] = frozenset(
                name for name, shape in seen.items() if shape is None or agrees(node, shape, by_code)
            )
        return self._names_allowed[known]

    def _as_name(self, name: str | None) -> Any:
        if name is not None:
            return name
        return OtherName(frozenset(name for name in self._target_names if name is not None))

    # ---- settings -----------------------------------------------------------------------------------

    @cached_property
    def _settings(self) -> Mapping[Key, list[tuple[NodeMetadata, str, str, Any]]]:
        """Settings that read a variable: node, name, as written, as rendered."""
        found: dict[Key, dict[tuple[str, str], tuple[NodeMetadata, str, str, Any]]] = defaultdict(dict)
        for node in self._nodes.values():
            for setting, written, rendered in settings_of(node):
                for _, name in READ.findall(written):
                    found[node.package_name, name].setdefault(
                        (written, str(rendered)), (node, setting, written, rendered)
                    )
        return {key: [*entries.values()][:_MOST_WITNESSES] for key, entries in found.items()}

    def _of_settings(self, key: Key) -> Finding | None:
        findings: list[Finding] = []
        for node, setting, written, rendered in self._settings.get(key, ()):
            value = self._solved(key, node, written, rendered)
            if value is not UNSET:
                findings.append(Finding(value, f"'{setting}' of {node.unique_id}"))
        values = {repr(finding.value) for finding in findings}
        return findings[0] if len(values) == 1 else None

    def _solved(self, key: Key, node: NodeMetadata, written: str, rendered: Any) -> Any:
        """The value with which *written* becomes *rendered*; unset where none or several do."""

        def result(value: Any) -> str | None:
            return self._result(key, value, node, written)

        marked = result(MARK)
        if marked is not None and MARK in marked:
            for value in values_in(marked, str(rendered)):
                if result(value) == str(rendered):
                    return value
            return UNSET
        fitting = [value for value in (True, False) if result(value) == str(rendered)]
        return fitting[0] if len(fitting) == 1 else UNSET

    def _result(self, key: Key, value: Any, node: NodeMetadata, written: str) -> str | None:
        """What *written* becomes with *value* for the variable; None where it cannot be rendered."""
        with self._trying(key, value):
            try:
                return str(self._evaluate(written, node))
            except TemplateError:
                return None

    # ---- sources ------------------------------------------------------------------------------------

    @cached_property
    def _identifiers(self) -> Mapping[Key, list[NodeMetadata]]:
        found: dict[Key, list[NodeMetadata]] = defaultdict(list)
        for node in self._nodes.values():
            if node.resource_type == "source" and node.identifier:
                found[node.package_name, f"{node.source_name}_{node.name}{_IDENTIFIER}"].append(node)
        return found

    def _of_source(self, key: Key) -> Finding | None:
        sources = self._identifiers.get(key, ()) if key[1].endswith(_IDENTIFIER) else ()
        if len(sources) != 1:
            return None
        return Finding(sources[0].identifier, f"the identifier of {sources[0].unique_id}")

    # ---- nodes that read the variable ---------------------------------------------------------------

    @cached_property
    def _witnesses(self) -> Mapping[Key, list[NodeMetadata]]:
        """The nodes whose code, or macros, read a variable: the shortest ones."""
        of_macros = variables_of_macros(self._macros)
        found: dict[Key, list[NodeMetadata]] = defaultdict(list)
        for node in self._nodes.values():
            code = node.raw_code
            if node.resource_type not in _READERS or not code or node.language == "python":
                continue
            longest = max(len(code), len(node.compiled_code or "") // _MOST_GROWTH)
            if longest > _LONGEST_WITNESS or "is_incremental" in code:
                continue
            names = {name for _, name in READ.findall(code)} if "var" in code else set()
            for macro in node.macros:
                names |= of_macros.get(macro, frozenset())
            if "target.name" in code:
                found[_TARGET].append(node)
            for name in names:
                found[node.package_name, name].append(node)
        return {
            key: sorted(nodes, key=lambda node: (len(node.raw_code or ""), node.unique_id))
            for key, nodes in found.items()
        }

    def _of_parents(self, key: Key) -> Finding | None:
        """The relation that stands for the variable in all nodes that read it."""
        common: set[str] | None = None
        for node in self._witnesses.get(key, ())[:_MOST_WITNESSES]:
            seen = self._tried_out(key, node, MARK)
            if seen is not None and _AS_RELATION.search(seen.text):
                unexplained = parents_of(node) - seen.parents
                common = unexplained if common is None else common & unexplained
        found = [self._nodes[parent] for parent in sorted(common or ()) if parent in self._nodes]
        if len(found) > 1:
            name = key[1]
            found = [node for node in found if node.name == name or node.name.endswith(f"_{name}")]
        if len(found) != 1:
            return None
        return Finding(reference_to(found[0]), f"the parents of the nodes that read it: {found[0].unique_id}")

    def _of_witnesses(self, key: Key, own: set[str | None]) -> Finding | None:
        """The value that explains a node which the default does not; and contradicts no other."""
        content: list[tuple[NodeMetadata, bool]] = []
        for node in self._witnesses.get(key, ())[:_MOST_WITNESSES]:
            by_code = node.unique_id not in own and node.compiled_code is not None
            value = self._testimony_of(key, node, by_code)
            if value is None:
                continue
            if value is UNSET:
                content.append((node, by_code))
            elif all(self._allows(key, other, value, code) for other, code in content):
                what = "what dbt compiled of" if by_code else "the parents and the configuration of"
                return Finding(value, f"{what} {node.unique_id}")
        return None

    def _testimony_of(self, key: Key, node: NodeMetadata, by_code: bool) -> Any:
        """The value that *node* needs; unset where the default does, None where it cannot tell."""
        known = key, node.unique_id, by_code
        if known not in self._testimony:
            self._testimony[known] = self._examined(key, node, by_code)
        return self._testimony[known]

    def _examined(self, key: Key, node: NodeMetadata, by_code: bool) -> Any:
        seen = self._as_it_is(node)
        if isinstance(seen, Observation):
            if key not in seen.read:
                return None
            if by_code and agrees(node, seen, by_code):
                return UNSET
        elif seen != key[1]:
            return None
        if by_code:
            return self._needed_by_code(key, node)
        value, is_default = self._needed_by_shape(key, node, seen)
        return UNSET if is_default else value

    def _as_it_is(self, node: NodeMetadata) -> Observation | str | None:
        """*node* with defaults for what it asks; instead, the name at which rendering it fails."""
        if node.unique_id not in self._seen:
            try:
                self._seen[node.unique_id] = self._short(self._observe(node))
            except TemplateError as error:
                self._seen[node.unique_id] = error.name
        return self._seen[node.unique_id]

    def _needed_by_code(self, key: Key, node: NodeMetadata) -> Any:
        """The value that makes of the code of *node* what dbt compiled; None where it cannot be told."""
        marked = self._tried_out(key, node, MARK)
        if marked is not None and MARK in marked.text:
            values = values_in(plain(marked.text), plain(node.compiled_code or ""))
            return next((value for value in values if self._fits(key, node, value, True)), None)
        fitting = [value for value in (True, False) if self._fits(key, node, value, True)]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
        if self._fits(key, node, [], True) and not self._fits(key, node, [MARK], True):
            return []
        return None

    def _needed_by_shape(self, key: Key, node: NodeMetadata, as_it_is: object) -> tuple[bool | None, bool]:
        """The truth value that gives *node* the parents and the configuration that it has, where the other
        gives others; and whether *as_it_is*, with the default, it has them already.

        Only what differs between the two counts: other variables may be wrong about the rest.
        """
        either = [self._tried_out(key, node, value) for value in (True, False)]
        if either[0] is None or either[1] is None:
            return None, False
        shapes = [shape_of(node, seen) for seen in (either[0], either[1])]
        differing = [aspect for aspect in shapes[0] if shapes[0][aspect] != shapes[1][aspect]]
        is_true, is_false = (has_shape(node, shape, differing) for shape in shapes)
        if is_true == is_false:
            return None, False
        is_default = isinstance(as_it_is, Observation) and has_shape(
            node, shape_of(node, as_it_is), differing
        )
        return is_true, is_default

    def _allows(self, key: Key, node: NodeMetadata, value: Any, by_code: bool) -> bool:
        if by_code:
            return self._fits(key, node, value, by_code)
        return self._needed_by_shape(key, node, None)[0] in (None, value)

    def _fits(self, key: Key, node: NodeMetadata, value: Any, by_code: bool) -> bool:
        seen = self._tried_out(key, node, value)
        return seen is not None and agrees(node, seen, by_code)

    def _tried_out(self, key: Key, node: NodeMetadata, value: Any) -> Observation | None:
        with self._trying(key, value):
            try:
                return self._short(self._observe(node))
            except TemplateError:
                return None

    @staticmethod
    def _short(seen: Observation) -> Observation | None:
        return seen if len(seen.text) <= _MOST_GROWTH * _LONGEST_WITNESS else None

    @contextmanager
    def _trying(self, key: Key, value: Any) -> Iterator[None]:
        self._tried[key] = value
        try:
            yield
        finally:
            del self._tried[key]
