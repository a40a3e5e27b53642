"""What a run tells of variables that nobody gave: artifacts keep what became of them.

Four sorts of evidence, the surest first, and all of it about nodes of the package that asks:

1. settings that are kept both as written and as rendered (`schema: "{{ var('crm_schema', 'crm') }}"`
   beside `crm_prod`);
2. identifiers of sources, for a variable called `<source>_<table>_identifier`, as packages name them;
3. parents that nothing else in a node's code explains, for a variable that stands where a relation does;
4. nodes that read the variable: which value makes of their code what dbt compiled, and the parents and
   the configuration that they have.

A value is taken only where rendering with it gives exactly what the artifacts hold, and rendering without
it does not. What dbt compiled of the node being rendered is never looked at, whatever is asked; and
while evidence is weighed, nothing is found out through what was compiled of third nodes.
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

UNSET: Any = object()
"""Instead of the value that a variable does not have."""
Key = tuple[str | None, str]
"""A variable: the package that asks, and the name."""

_READ = re.compile(r"\bvar\s*\(\s*(['\"])([^'\"]+)\1")
_MARK = "\ue0f4recce\ue0f5"
"""Text that no template holds, in the place of a value that is looked for."""
_AS_RELATION = re.compile(rf"(?:\bfrom|\bjoin|,)\s+{_MARK}", re.IGNORECASE)
_MOST_WITNESSES = 3
"""As many nodes and settings are asked about one variable."""
_LONGEST_WITNESS = 10_000
_IDENTIFIER = "_identifier"
_COMPARED = ("enabled", "materialized", "schema", "alias", "database")
_READERS = frozenset(["model", "snapshot", "analysis"])
_GRAPH = ("model.", "seed.", "snapshot.", "source.")


class Finding(Struct, frozen=True):
    """A variable's value, and what tells it."""

    value: Any
    reason: str


class Observation(Struct, frozen=True):
    """What rendering the code of a node came to."""

    text: str
    parents: frozenset[str]
    configured: Mapping[str, Any]
    read: frozenset[Key]


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

    # ---- settings -----------------------------------------------------------------------------------

    @cached_property
    def _settings(self) -> Mapping[Key, list[tuple[NodeMetadata, str, str, Any]]]:
        """Settings that read a variable: node, name, as written, as rendered."""
        found: dict[Key, dict[tuple[str, str], tuple[NodeMetadata, str, str, Any]]] = defaultdict(dict)
        for node in self._nodes.values():
            for setting, written, rendered in _settings_of(node):
                for _, name in _READ.findall(written):
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
            with self._trying(key, value):
                try:
                    return str(self._evaluate(written, node))
                except TemplateError:
                    return None

        marked = result(_MARK)
        if marked is not None and _MARK in marked:
            for value in _values_in(marked, str(rendered)):
                if result(value) == str(rendered):
                    return value
            return UNSET
        fitting = [value for value in (True, False) if result(value) == str(rendered)]
        return fitting[0] if len(fitting) == 1 else UNSET

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
        of_macros = _variables_of_macros(self._macros)
        found: dict[Key, list[NodeMetadata]] = defaultdict(list)
        for node in self._nodes.values():
            code = node.raw_code
            if node.resource_type not in _READERS or not code or node.language == "python":
                continue
            if len(code) > _LONGEST_WITNESS or "is_incremental" in code:
                continue
            names = {name for _, name in _READ.findall(code)}
            for macro in node.macros:
                names |= of_macros.get(macro, frozenset())
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
            seen = self._tried_out(key, node, _MARK)
            if seen is not None and _AS_RELATION.search(seen.text):
                unexplained = _parents_of(node) - seen.parents
                common = unexplained if common is None else common & unexplained
        found = [self._nodes[parent] for parent in sorted(common or ()) if parent in self._nodes]
        if len(found) > 1:
            name = key[1]
            found = [node for node in found if node.name == name or node.name.endswith(f"_{name}")]
        if len(found) != 1:
            return None
        return Finding(
            _reference_to(found[0]), f"the parents of the nodes that read it: {found[0].unique_id}"
        )

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
            elif all(self._fits(key, other, value, code) for other, code in content):
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
            if _agrees(node, seen, by_code):
                return UNSET
        elif seen != key[1]:
            return None
        return self._needed_by_code(key, node) if by_code else self._needed_by_shape(key, node)

    def _as_it_is(self, node: NodeMetadata) -> Observation | str | None:
        """*node* with defaults for what it asks; instead, the name at which rendering it fails."""
        if node.unique_id not in self._seen:
            try:
                self._seen[node.unique_id] = self._observe(node)
            except TemplateError as error:
                self._seen[node.unique_id] = error.name
        return self._seen[node.unique_id]

    def _needed_by_code(self, key: Key, node: NodeMetadata) -> Any:
        """The value that makes of the code of *node* what dbt compiled; None where it cannot be told."""
        marked = self._tried_out(key, node, _MARK)
        if marked is not None and _MARK in marked.text:
            values = _values_in(_plain(marked.text), _plain(node.compiled_code or ""))
            return next((value for value in values if self._fits(key, node, value, True)), None)
        fitting = [value for value in (True, False) if self._fits(key, node, value, True)]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
        if self._fits(key, node, [], True) and not self._fits(key, node, [_MARK], True):
            return []
        return None

    def _needed_by_shape(self, key: Key, node: NodeMetadata) -> Any:
        """The truth value that gives *node* its parents and configuration, where the other gives others."""
        seen = [(value, self._tried_out(key, node, value)) for value in (True, False)]
        fitting = [value for value, shape in seen if shape is not None and _agrees(node, shape, False)]
        if len(fitting) != 1 or any(shape is None for _, shape in seen):
            return None
        return fitting[0]

    def _fits(self, key: Key, node: NodeMetadata, value: Any, by_code: bool) -> bool:
        seen = self._tried_out(key, node, value)
        return seen is not None and _agrees(node, seen, by_code)

    def _tried_out(self, key: Key, node: NodeMetadata, value: Any) -> Observation | None:
        with self._trying(key, value):
            try:
                return self._observe(node)
            except TemplateError:
                return None

    @contextmanager
    def _trying(self, key: Key, value: Any) -> Iterator[None]:
        self._tried[key] = value
        try:
            yield
        finally:
            del self._tried[key]


def _settings_of(node: NodeMetadata) -> Iterator[tuple[str, str, Any]]:
    """Settings of *node* that hold Jinja: name, as written, as rendered."""
    properties = node.properties
    places = [
        ("unrendered_schema", properties.get("unrendered_schema"), node.schema_name),
        ("unrendered_database", properties.get("unrendered_database"), node.database_name),
    ]
    places += [(key, written, node.config.get(key)) for key, written in node.unrendered_config.items()]
    for name, written, rendered in places:
        if isinstance(written, str) and "{" in written and isinstance(rendered, (str, bool, int)):
            yield name, written, rendered


def _variables_of_macros(macros: Mapping[str, MacroMetadata]) -> Mapping[str, frozenset[str]]:
    """The variables that each macro reads, or those that it calls."""
    own = {
        unique_id: {name for _, name in _READ.findall(macro.macro_sql)} for unique_id, macro in macros.items()
    }
    readers: dict[str, list[str]] = defaultdict(list)
    for unique_id, macro in macros.items():
        for called in macro.macros:
            readers[called].append(unique_id)
    pending = [unique_id for unique_id, names in own.items() if names]
    while pending:
        unique_id = pending.pop()
        for reader in readers[unique_id]:
            if not own[unique_id] <= own[reader]:
                own[reader] |= own[unique_id]
                pending.append(reader)
    return {unique_id: frozenset(names) for unique_id, names in own.items() if names}


def _parents_of(node: NodeMetadata) -> set[str]:
    return {parent for parent in node.parents if parent.startswith(_GRAPH)}


def _agrees(node: NodeMetadata, seen: Observation, by_code: bool) -> bool:
    """Whether *seen* is what the artifacts hold of *node*."""
    if by_code:
        return _plain(seen.text) == _plain(node.compiled_code or "")
    if seen.parents != _parents_of(node):
        return False
    return all(
        seen.configured[name] == node.config.get(name)
        for name in _COMPARED
        if name in seen.configured and name in node.config
    )


def _plain(text: str) -> str:
    return " ".join(text.split())


def _values_in(marked: str, text: str) -> Iterator[Any]:
    """What stands in *text* where the mark stands in *marked*, as the values that are written so."""
    count = marked.count(_MARK)
    length, rest = divmod(len(text) - len(marked) + count * len(_MARK), count)
    if rest or length < 0:
        return
    start = marked.index(_MARK)
    written = text[start : start + length]
    if marked.replace(_MARK, written) != text:
        return
    if written in ("True", "False"):
        yield written == "True"
    elif re.fullmatch(r"-?(?:0|[1-9]\d{0,17})", written):
        yield int(written)
    yield written


def _reference_to(node: NodeMetadata) -> str:
    """Jinja that names *node*."""
    if node.resource_type == "source":
        return f"{{{{ source({node.source_name!r}, {node.name!r}) }}}}"
    version = f", v={node.version!r}" if node.version is not None else ""
    return f"{{{{ ref({node.package_name!r}, {node.name!r}{version}) }}}}"
