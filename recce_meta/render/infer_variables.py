"""Inference of variables that were not passed in, from the artifacts of a run.

The value of a variable is inferred from four sources, most reliable first. All of them are nodes of
the package that reads the variable:

1. settings that artifacts hold both unrendered (`schema: "{{ var('crm_schema', 'crm') }}"`) and rendered
   (`crm_prod`);
2. identifiers of sources, for a variable named `<source>_<table>_identifier`, a convention of packages;
3. parents that nothing else in a node's code explains, for a variable in the position of a relation;
4. nodes that read the variable: the value must reproduce their compiled code, or their parents and
   configuration.

If the run does not contain `target.name`, it is inferred by elimination from the names that code compares
it with.

Source 2, and source 3 if several parents remain, match by name. For the other sources, a value is
accepted only if rendering with it gives exactly the result in the artifacts and the default does not.
The compiled code of the node being rendered is never used. While one variable is inferred, source 4 is
not used for other variables.

Comparison of a node's rendering with the node's artifacts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from jinja2 import Environment, TemplateSyntaxError
from jinja2.nodes import Call, Const, Name
from msgspec import Struct

from recce_meta.errors import TemplateError
from recce_meta.models import MacroMetadata, NodeMetadata
from recce_meta.models.node_types import SELECTED
from recce_meta.render.target import OtherName

Key = tuple[str | None, str]
"""A variable: the package that reads it, and its name."""
READ = re.compile(r"\bvar\s*\(\s*(['\"])([^'\"]+)\1")
"""Matches `var('name')`: the quote and the name."""
MARK = "\ue0f4recce\ue0f5"
"""Placeholder for an unknown value; it does not occur in templates."""
_COMPARED = ("enabled", "materialized", "schema", "alias", "database")
_NOT_SAID: Any = object()
_GRAPH = ("model.", "seed.", "snapshot.", "source.")


class Observation(Struct, frozen=True):
    """Result of rendering a node's code."""

    text: str
    parents: frozenset[str]
    configured: Mapping[str, Any]
    read: frozenset[Key]


def settings_of(node: NodeMetadata) -> Iterator[tuple[str, str, Any]]:
    """Yield the settings of *node* that contain Jinja: name, unrendered value, rendered value."""
    properties = node.properties
    places = [
        ("unrendered_schema", properties.get("unrendered_schema"), node.schema_name),
        ("unrendered_database", properties.get("unrendered_database"), node.database_name),
    ]
    places += [(key, written, node.config.get(key)) for key, written in node.unrendered_config.items()]
    for name, written, rendered in places:
        if isinstance(written, str) and "{" in written and isinstance(rendered, (str, bool, int)):
            yield name, written, rendered


def variables_of_macros(macros: Mapping[str, MacroMetadata]) -> Mapping[str, frozenset[str]]:
    """Return the variables that each macro reads, directly or through the macros it calls."""
    own = {
        unique_id: {name for _, name in READ.findall(macro.macro_sql)} for unique_id, macro in macros.items()
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


def parents_of(node: NodeMetadata) -> set[str]:
    return {parent for parent in node.parents if parent.startswith(_GRAPH)}


def agrees(node: NodeMetadata, seen: Observation, by_code: bool) -> bool:
    """Return True if *seen* agrees with the artifacts of *node*."""
    if by_code:
        return plain(seen.text) == plain(node.compiled_code or "")
    shape = shape_of(node, seen)
    return has_shape(node, shape, shape)


def shape_of(node: NodeMetadata, seen: Observation) -> Mapping[str, Any]:
    """Return the parents and settings in *seen*, limited to settings in the artifacts of *node*."""
    settings = {name: seen.configured.get(name, _NOT_SAID) for name in _COMPARED if name in node.config}
    return {"parents": seen.parents, **settings}


def has_shape(node: NodeMetadata, shape: Mapping[str, Any], aspects: Iterable[str]) -> bool:
    """Return True if *shape* agrees with the artifacts of *node* in *aspects*.

    A setting that the code does not configure always agrees.
    """
    return all(
        shape[aspect] == parents_of(node)
        if aspect == "parents"
        else shape[aspect] in (_NOT_SAID, node.config[aspect])
        for aspect in aspects
    )


def plain(text: str) -> str:
    return " ".join(text.split())


def values_in(marked: str, text: str) -> Iterator[Any]:
    """Yield the value that replaces the mark of *marked* in *text*, as boolean or integer and as string."""
    count = marked.count(MARK)
    # Each mark stands for the same text, so its length follows from the total.
    length, rest = divmod(len(text) - len(marked) + count * len(MARK), count)
    if rest or length < 0:
        return
    start = marked.index(MARK)
    written = text[start : start + length]
    if marked.replace(MARK, written) != text:
        return
    if written in ("True", "False"):
        yield written == "True"
    # Without leading zeros: `007` is not a number, because it would be written as 7.
    elif re.fullmatch(r"-?(?:0|[1-9]\d{0,17})", written):
        yield int(written)
    yield written


def reference_to(node: NodeMetadata) -> str:
    """Return the Jinja expression that references *node*."""
    if node.resource_type == "source":
        return f"{{{{ source({node.source_name!r}, {node.name!r}) }}}}"
    version = f", v={node.version!r}" if node.version is not None else ""
    return f"{{{{ ref({node.package_name!r}, {node.name!r}{version}) }}}}"


UNSET: Any = object()
"""Marker of a variable without a value."""

_AS_RELATION = re.compile(rf"(?:\bfrom|\bjoin|,)\s+{MARK}", re.IGNORECASE)
_MOST_WITNESSES = 3
"""Maximum number of nodes, and of settings, to examine for one variable."""
_LONGEST_WITNESS = 10_000
_MOST_GROWTH = 20
"""Maximum ratio of a node's rendered code to its raw code."""
_TARGET: Key = (None, "target.name")
_NAME_COMPARED = re.compile(
    r"""target\.name\s*(?:==|!=|(?:not\s+)?in\b)\s*([\[(][^\])]{0,300}[\])]|'[^']{0,99}'|"[^"]{0,99}")"""
)
_QUOTED = re.compile(r"""(['"])(.*?)\1""")
# Each name costs a rendering of each node that is examined.
_MOST_NAMES = 8
_IDENTIFIER = "_identifier"


class InferredValue(Struct, frozen=True):
    """Inferred value of a variable, and the reason for it."""

    value: Any
    reason: str
    is_trial: bool = False
    """True while the value is tried out in search of the right one."""


def reads_only(written: str, name: str) -> bool:
    """Return True if the template *written* reads nothing but the variable *name*."""
    try:
        tree = Environment().parse(written)
    except TemplateSyntaxError:
        return False
    calls = [call for call in tree.find_all(Call) if isinstance(call.node, Name) and call.node.name == "var"]
    return len(list(tree.find_all(Name))) == len(calls) and all(
        bool(call.args) and isinstance(call.args[0], Const) and call.args[0].value == name for call in calls
    )


def _short(seen: Observation) -> Observation | None:
    return seen if len(seen.text) <= _MOST_GROWTH * _LONGEST_WITNESS else None


class _Trials:
    """Renderings with a value of one variable, tried out in search of the right one."""

    def __init__(
        self, observe: Callable[[NodeMetadata], Observation], evaluate: Callable[[str, NodeMetadata], Any]
    ) -> None:
        self._observe, self._evaluate = observe, evaluate
        self.values: dict[Key, Any] = {}
        """Values that are being tried out."""
        self._seen: dict[str, Observation | str | None] = {}

    def result(self, key: Key, value: Any, node: NodeMetadata, written: str) -> str | None:
        """Return *written* rendered with *value* for the variable; None if rendering fails."""
        with self._trying(key, value):
            try:
                return str(self._evaluate(written, node))
            except TemplateError:
                return None

    def as_it_is(self, node: NodeMetadata) -> Observation | str | None:
        """Return *node* rendered with defaults; if that fails, the name at which it fails."""
        if node.unique_id not in self._seen:
            try:
                self._seen[node.unique_id] = _short(self._observe(node))
            except TemplateError as error:
                self._seen[node.unique_id] = error.name
        return self._seen[node.unique_id]

    def node(self, key: Key, node: NodeMetadata, value: Any) -> Observation | None:
        """Return *node* rendered with *value* for the variable; None if rendering fails, or gets long."""
        with self._trying(key, value):
            try:
                return _short(self._observe(node))
            except TemplateError:
                return None

    @contextmanager
    def _trying(self, key: Key, value: Any) -> Iterator[None]:
        self.values[key] = value
        try:
            yield
        finally:
            del self.values[key]


class _TargetName:
    """Inference of `target.name`: evidence excludes names that code compares it with."""

    def __init__(
        self,
        nodes: Mapping[str, NodeMetadata],
        macros: Mapping[str, MacroMetadata],
        trials: _Trials,
        witnesses: Callable[[], Sequence[NodeMetadata]],
    ) -> None:
        self._nodes, self._macros, self._trials, self._witnesses = nodes, macros, trials, witnesses
        self._names_allowed: dict[tuple[str, bool], frozenset[str | None]] = {}

    def inferred(self, own: set[str | None]) -> InferredValue | None:
        """Return the name that all evidence leaves; the code of the nodes in *own* does not count."""
        names = self._names
        possible = set(names)
        reasons: list[str] = []
        for reason, fitting in self._evidence(own):
            left = possible & fitting
            # Evidence against every name is wrong itself.
            if left and left != possible:
                possible = left
                reasons.append(reason)
        if not reasons:
            return None
        named = frozenset(name for name in names if isinstance(name, str))
        if len(possible) == 1 and (only := possible.pop()) is not None:
            return InferredValue(only, ", ".join(reasons))
        excluded = named - possible
        return InferredValue(OtherName(excluded), ", ".join(reasons)) if excluded else None

    @cached_property
    def _names(self) -> frozenset[str | None]:
        """Names that code compares `target.name` with, and None for any other name."""
        texts = [node.raw_code or "" for node in self._nodes.values()]
        texts += [macro.macro_sql for macro in self._macros.values()]
        texts += [written for node in self._nodes.values() for _, written, _ in settings_of(node)]
        compared = [part for text in texts if "target" in text for part in _NAME_COMPARED.findall(text)]
        names = sorted({name for part in compared for _, name in _QUOTED.findall(part)})
        return frozenset([*names[:_MOST_NAMES], None])

    def _evidence(self, own: set[str | None]) -> Iterator[tuple[str, frozenset[str | None]]]:
        """Yield evidence of `target.name` from settings and nodes: a reason and the names it allows."""
        witnesses: set[tuple[str, str]] = set()
        for node in self._nodes.values():
            for setting, written, rendered in settings_of(node):
                if "target.name" in written and (written, str(rendered)) not in witnesses:
                    if len(witnesses) >= _MOST_WITNESSES:
                        return
                    witnesses.add((written, str(rendered)))
                    yield (
                        f"'{setting}' of {node.unique_id}",
                        self._allowed_by_setting(node, written, rendered),
                    )
        for node in self._witnesses()[:_MOST_WITNESSES]:
            by_code = node.unique_id not in own and node.compiled_code is not None
            what = "the compiled code of" if by_code else "the parents and configuration of"
            yield f"{what} {node.unique_id}", self._allowed_by_node(node, by_code)

    def _allowed_by_setting(self, node: NodeMetadata, written: str, rendered: Any) -> frozenset[str | None]:
        results = {
            name: self._trials.result(_TARGET, self._as_name(name), node, written) for name in self._names
        }
        return frozenset(name for name, result in results.items() if result in (None, str(rendered)))

    def _allowed_by_node(self, node: NodeMetadata, by_code: bool) -> frozenset[str | None]:
        known = node.unique_id, by_code
        if known not in self._names_allowed:
            seen = {name: self._trials.node(_TARGET, node, self._as_name(name)) for name in self._names}
            self._names_allowed[known] = frozenset(
                name for name, shape in seen.items() if shape is None or agrees(node, shape, by_code)
            )
        return self._names_allowed[known]

    def _as_name(self, name: str | None) -> Any:
        if name is not None:
            return name
        return OtherName(frozenset(name for name in self._names if name is not None))


class Evidence:
    """Inference of variables from the nodes of one run.

    *observe* renders the code of a node, *evaluate* a setting of a node; both raise TemplateError.
    *separately* is a context manager that charges renderings to a separate budget. It yields False
    if that budget is spent.
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
        self._separately = separately
        self.rendering: str | None = None
        """Unique id of the node being rendered; its compiled code is not used as evidence."""
        self._trials = _Trials(observe, evaluate)
        self._target = _TargetName(
            nodes, self._macros, self._trials, lambda: self._witnesses.get(_TARGET, ())
        )
        self._pending: set[Key] = set()
        self._known: dict[tuple[Key, bool], InferredValue | None] = {}
        self._proven: dict[Key, InferredValue | None] = {}
        self._testimony: dict[tuple[Key, str, bool], Any] = {}

    def find(
        self, name: str, package: str | None, default: Any, asking: NodeMetadata | None
    ) -> InferredValue | None:
        """Return the inferred value of the variable, or None; *default* is the template's own default."""
        key = package, name
        if key in self._trials.values:
            return InferredValue(self._trials.values[key], "a trial", is_trial=True)
        # Rendering the evidence has read the variable again.
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
                    own = self._own(asking)
                    found = self._of_witnesses(key, own)
                return found
        finally:
            self._pending.discard(key)

    def proof(self, name: str, package: str | None) -> InferredValue | None:
        """Return the value that settings of the run prove by themselves, or None.

        Settings that also read another variable, the environment or the target prove nothing.
        """
        key = package, name
        if key in self._trials.values:
            return InferredValue(self._trials.values[key], "a trial", is_trial=True)
        if key in self._pending:
            return None
        if key not in self._proven:
            self._pending.add(key)
            try:
                with self._separately() as may_go_on:
                    if not may_go_on:
                        return None
                    self._proven[key] = self._of_settings(key, reads_only)
            finally:
                self._pending.discard(key)
        return self._proven[key]

    def _own(self, asking: NodeMetadata | None) -> set[str | None]:
        """Return the nodes whose compiled code is not used as evidence."""
        return {self.rendering, asking.unique_id if asking is not None else None}

    def _without_code(self, key: Key, default: Any) -> InferredValue | None:
        """Return the finding that needs no compiled code and does not depend on the reading node."""
        # Parents are evidence only if the template has no default of its own.
        known = key, default is UNSET
        if known not in self._known:
            found = self._of_settings(key) or self._of_source(key)
            if found is None and default is UNSET:
                found = self._of_parents(key)
            self._known[known] = found
        return self._known[known]

    # ---- target.name --------------------------------------------------------------------------------

    def target_name(self, asking: NodeMetadata | None) -> InferredValue | None:
        """Return the inferred `target.name`, or an `OtherName` of excluded names; None if unknown."""
        if _TARGET in self._trials.values:
            return InferredValue(self._trials.values[_TARGET], "a trial")
        if self._pending:
            return None
        self._pending.add(_TARGET)
        try:
            with self._separately() as may_go_on:
                return self._target.inferred(self._own(asking)) if may_go_on else None
        finally:
            self._pending.discard(_TARGET)

    # ---- settings -----------------------------------------------------------------------------------

    @cached_property
    def _settings(self) -> Mapping[Key, list[tuple[NodeMetadata, str, str, Any]]]:
        """Settings that read a variable: node, setting name, unrendered value, rendered value."""
        found: dict[Key, dict[tuple[str, str], tuple[NodeMetadata, str, str, Any]]] = defaultdict(dict)
        for node in self._nodes.values():
            for setting, written, rendered in settings_of(node):
                for _, name in READ.findall(written):
                    found[node.package_name, name].setdefault(
                        (written, str(rendered)), (node, setting, written, rendered)
                    )
        return {key: [*entries.values()][:_MOST_WITNESSES] for key, entries in found.items()}

    def _of_settings(
        self, key: Key, may_prove: Callable[[str, str], bool] | None = None
    ) -> InferredValue | None:
        findings: list[InferredValue] = []
        for node, setting, written, rendered in self._settings.get(key, ()):
            if may_prove is not None and not may_prove(written, key[1]):
                continue
            value = self._solved(key, node, written, rendered)
            if value is not UNSET:
                findings.append(InferredValue(value, f"'{setting}' of {node.unique_id}"))
        # By `repr`, because True equals 1 but is written differently.
        values = {repr(finding.value) for finding in findings}
        return findings[0] if len(values) == 1 else None

    def _solved(self, key: Key, node: NodeMetadata, written: str, rendered: Any) -> Any:
        """Return the value that turns *written* into *rendered*; UNSET if none or several do."""

        def result(value: Any) -> str | None:
            return self._trials.result(key, value, node, written)

        marked = result(MARK)
        if marked is not None and MARK in marked:
            for value in values_in(marked, str(rendered)):
                # Checked by rendering, because the mark itself may have taken another branch.
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

    def _of_source(self, key: Key) -> InferredValue | None:
        sources = self._identifiers.get(key, ()) if key[1].endswith(_IDENTIFIER) else ()
        if len(sources) != 1:
            return None
        return InferredValue(sources[0].identifier, f"the identifier of {sources[0].unique_id}")

    # ---- nodes that read the variable ---------------------------------------------------------------

    @cached_property
    def _witnesses(self) -> Mapping[Key, list[NodeMetadata]]:
        return _witnesses_of(self._nodes, self._macros)

    def _of_parents(self, key: Key) -> InferredValue | None:
        """Return the relation that the variable names in all nodes that read it."""
        common: set[str] | None = None
        for node in self._witnesses.get(key, ())[:_MOST_WITNESSES]:
            seen = self._trials.node(key, node, MARK)
            if seen is not None and _AS_RELATION.search(seen.text):
                unexplained = parents_of(node) - seen.parents
                common = unexplained if common is None else common & unexplained
        found = [self._nodes[parent] for parent in sorted(common or ()) if parent in self._nodes]
        if len(found) > 1:
            name = key[1]
            found = [node for node in found if node.name == name or node.name.endswith(f"_{name}")]
        if len(found) != 1:
            return None
        return InferredValue(
            reference_to(found[0]), f"the parents of the nodes that read it: {found[0].unique_id}"
        )

    def _of_witnesses(self, key: Key, own: set[str | None]) -> InferredValue | None:
        """Return a value that explains a node if the default does not, and contradicts no other node."""
        content: list[tuple[NodeMetadata, bool]] = []
        for node in self._witnesses.get(key, ())[:_MOST_WITNESSES]:
            by_code = node.unique_id not in own and node.compiled_code is not None
            value = self._testimony_of(key, node, by_code)
            if value is None:
                continue
            if value is UNSET:
                content.append((node, by_code))
            elif all(self._allows(key, other, value, code) for other, code in content):
                what = "the compiled code of" if by_code else "the parents and configuration of"
                return InferredValue(value, f"{what} {node.unique_id}")
        return None

    def _testimony_of(self, key: Key, node: NodeMetadata, by_code: bool) -> Any:
        """Return the value that *node* requires; UNSET if the default fits, None if undecidable."""
        known = key, node.unique_id, by_code
        if known not in self._testimony:
            self._testimony[known] = self._examined(key, node, by_code)
        return self._testimony[known]

    def _examined(self, key: Key, node: NodeMetadata, by_code: bool) -> Any:
        seen = self._trials.as_it_is(node)
        if isinstance(seen, Observation):
            if key not in seen.read:
                return None
            if by_code and agrees(node, seen, by_code):
                return UNSET
        # It fails at another name, so the effect of this variable is unknown.
        elif seen != key[1]:
            return None
        if by_code:
            return self._needed_by_code(key, node)
        value, is_default = self._needed_by_shape(key, node, seen)
        return UNSET if is_default else value

    def _needed_by_code(self, key: Key, node: NodeMetadata) -> Any:
        """Return the value that reproduces the compiled code of *node*; None if undecidable."""
        marked = self._trials.node(key, node, MARK)
        if marked is not None and MARK in marked.text:
            values = values_in(plain(marked.text), plain(node.compiled_code or ""))
            return next((value for value in values if self._fits(key, node, value, True)), None)
        fitting = [value for value in (True, False) if self._fits(key, node, value, True)]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
        # `[MARK]` proves that members of the list would be visible in the text.
        if self._fits(key, node, [], True) and not self._fits(key, node, [MARK], True):
            return []
        return None

    def _needed_by_shape(self, key: Key, node: NodeMetadata, as_it_is: object) -> tuple[bool | None, bool]:
        """Return the boolean that reproduces the parents and configuration of *node*, or None.

        The second result is True if *as_it_is*, rendered with the default, reproduces them too. Only
        aspects that differ between True and False count, because other variables affect the rest.
        """
        either = [self._trials.node(key, node, value) for value in (True, False)]
        if either[0] is None or either[1] is None:
            return None, False
        shapes = [shape_of(node, seen) for seen in (either[0], either[1])]
        differing = [aspect for aspect in shapes[0] if shapes[0][aspect] != shapes[1][aspect]]
        is_true, is_false = (has_shape(node, shape, differing) for shape in shapes)
        # Other variables, or the database, may explain the node.
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
        seen = self._trials.node(key, node, value)
        return seen is not None and agrees(node, seen, by_code)


def _witnesses_of(
    nodes: Mapping[str, NodeMetadata], macros: Mapping[str, MacroMetadata]
) -> Mapping[Key, list[NodeMetadata]]:
    """Return the nodes whose code or macros read a variable, shortest first; long nodes are left out."""
    of_macros = variables_of_macros(macros)
    found: dict[Key, list[NodeMetadata]] = defaultdict(list)
    for node in nodes.values():
        code = node.raw_code
        if node.resource_type not in SELECTED | {"analysis"} or not code or node.language == "python":
            continue
        longest = max(len(code), len(node.compiled_code or "") // _MOST_GROWTH)
        # The compiled code of an incremental model may be that of either branch.
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
        # Short nodes cost the least to render.
        key: sorted(readers, key=lambda node: (len(node.raw_code or ""), node.unique_id))
        for key, readers in found.items()
    }
