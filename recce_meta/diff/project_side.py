"""Project side of a comparison: the nodes, the macros and the environment of one run.

JSON values are compared by YAML's meaning: null, empty and absent are equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from recce_meta.diff.code import (
    jinja_names,
    tokens,
    with_packages,
    without_injected,
    without_limits,
    without_wrapper,
)
from recce_meta.models import Json, MacroMetadata, NodeMetadata, Project, RunMetadata, target_place
from recce_meta.models.adapters import is_builtin, is_recording
from recce_meta.models.change import BUILD_FAILS, BUILD_MAY_FAIL
from recce_meta.models.node import BUILD_FAILURE, UNLESS_VARS
from recce_meta.models.relation_tokens import (
    CLOSING,
    INJECTED,
    OPENING,
    RelationIndex,
    injected_names,
    tokenise,
)
from recce_meta.models.run import PART, dbt_options

VOLATILE = frozenset(["run_started_at", "invocation_id", "thread_id", "dbt_version", "modules"])
"""Names whose value differs between any two runs."""
VARIABLES = frozenset(["var", "env_var"])
MOST_NAMES = 5
"""Most names in a note on nodes or macros."""


@dataclass(frozen=True)
class ProjectSide:
    """Nodes (including groups) and macros by unique id.

    `tokenised` means that compiled code is already in its environment-free form. Nodes and macros may be
    limited to those that matter for a comparison. `heirs` are nodes of the other side, by the id of a node
    that is only here and has the same relation.
    """

    nodes: Mapping[str, NodeMetadata]
    macros: Mapping[str, MacroMetadata] = field(default_factory=dict)
    run: RunMetadata | None = None
    tokenised: bool = False
    heirs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Project | Mapping[str, NodeMetadata] | Iterable[NodeMetadata]) -> ProjectSide:
        """Build a side from an extracted or loaded project, or from a collection of nodes."""
        if isinstance(source, Project):
            nodes = {node.unique_id: node for node in (*source.nodes, *source.groups)}
            return cls(nodes, {macro.unique_id: macro for macro in source.macros}, source.run)
        if isinstance(source, Mapping):
            return cls(source)
        return cls({node.unique_id: node for node in source})

    @cached_property
    def place(self) -> tuple[str | None, str | None]:
        """Return the target's database and schema."""
        if self.run is not None:
            return self.run.target_database, self.run.target_schema
        return target_place(self.nodes.values())

    @property
    def target_name(self) -> str | None:
        """Return the target's name in profiles.yml, if known."""
        return self.run.target_name if self.run else None

    @property
    def adapter(self) -> str | None:
        """Return dbt's adapter_type, if known."""
        return self.run.adapter_type if self.run else None

    @property
    def dbt_version(self) -> str | None:
        """Return dbt's version, if known."""
        return self.run.dbt_version if self.run else None

    @property
    def command(self) -> str | None:
        """Return dbt's command without options, such as `build`, if known."""
        return self.run.command.partition(" ")[0] if self.run and self.run.command else None

    def compiled(self, node: NodeMetadata) -> str | None:
        """Return the node's compiled code with tokens in place of relations."""
        code = node.compiled_code
        if code and self.run is not None and not PART.isdisjoint(dbt_options(self.run)):
            code = without_limits(code)
        if code and not self.tokenised:
            code = tokenise(code, self._relations.relations_of(node))
        return self.with_heirs(code) if code else code

    def with_heirs(self, code: str) -> str:
        """Return *code* with the tokens of the heirs of relations."""
        for unique_id, heir in self.heirs.items():
            code = code.replace(f"{OPENING}{unique_id}{CLOSING}", f"{OPENING}{heir}{CLOSING}")
        return code

    @cached_property
    def _relations(self) -> RelationIndex:
        return RelationIndex(self.nodes)

    def compiled_tokens(self, node: NodeMetadata, adapter: str | None) -> tuple[str, ...] | None:
        """Return the tokens of the node's own compiled SQL: relations by unique id, no injected CTEs."""
        code = self.compiled(node)
        if code is None:
            return None
        found = tokens(without_wrapper(code), adapter, jinja=False)
        return without_injected(found, self._injected_names(node)) if INJECTED in code else found

    def _injected_names(self, node: NodeMetadata) -> dict[str, str]:
        """Return the names under which dbt injects the node's ephemeral parents."""
        return {
            name: f"{OPENING}{parent}{CLOSING}"
            for parent in node.parents
            for name in injected_names(self.nodes.get(parent), parent)
        }

    def closure(self, macros: Iterable[str], without: str = "") -> set[str]:
        """Return *macros* and every macro that they call directly or indirectly, but for *without*.

        Macros that record the run are not in it: what they read cannot change data.
        """
        found: set[str] = set()
        waiting = list(macros)
        while waiting:
            unique_id = waiting.pop()
            if unique_id not in found and unique_id != without and not is_recording(unique_id):
                found.add(unique_id)
                if macro := self.macros.get(unique_id):
                    waiting.extend(macro.macros)
        return found

    def mentions(self, node: NodeMetadata) -> frozenset[str]:
        """Return every Jinja name in the node's source and in the project macros that it calls."""
        names = set(jinja_names(node.raw_code or ""))
        for unique_id in self.closure(node.macros):
            macro = self.macros.get(unique_id)
            if macro is not None and not is_builtin(macro.package_name):
                names |= jinja_names(macro.macro_sql)
        return frozenset(names)

    def macro_named(self, name: str) -> list[str]:
        """Return unique ids of macros called *name* that are not built into dbt."""
        return self._by_name.get(name, [])

    def own_materialization(self, node: NodeMetadata, adapter: str | None) -> bool:
        """Return True if a materialization that is not dbt's own builds *node*, or is in place of dbt's."""
        names = (f"materialization_{node.materialized}_{kind}" for kind in ("default", adapter))
        return any(map(self.macro_named, names))

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for macro in self.macros.values():
            if not is_builtin(macro.package_name):
                found.setdefault(macro.name, []).append(macro.unique_id)
        return found


def normalise(value: Json) -> Json:
    """Return *value* without empty members; a list of one scalar becomes the scalar (`unique_key`)."""
    if isinstance(value, dict):
        members = {key: normalise(member) for key, member in value.items()}
        return {key: member for key, member in members.items() if member is not None} or None
    if isinstance(value, (list, tuple)):
        items = [normalise(item) for item in value]
        return (items[0] if len(items) == 1 and not isinstance(items[0], (dict, list)) else items) or None
    if isinstance(value, str):
        return value.rstrip("\n") or value or None  # YAML parsers differ in a block's last newline
    return value


def constraints_of(value: Json) -> list[dict[str, Json]]:
    """Return dbt constraints as objects: `"not_null"` as `{"type": "not_null"}`, one object as a list of it.

    dbt rejects other shapes only if the contract is enforced, so manifests may contain them.
    """
    listed = value if isinstance(value, (list, tuple)) else [value]
    return [
        each if isinstance(each, dict) else {"type": each if isinstance(each, str) else str(each)}
        for each in listed
        if each is not None
    ]


def differences(base: Json, current: Json, path: str = "") -> Iterator[tuple[str, Json, Json]]:
    """Yield (path, base, current) for every differing leaf; lists of named items are compared by name."""
    if base == current:
        return
    old, new = _keyed(base), _keyed(current)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys(), key=str):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif normalise(base) != normalise(current):
        yield path, _none_if_empty(base), _none_if_empty(current)


def _keyed(value: Json) -> Json:
    """Convert a list whose members have distinct names to a dict by name."""
    # By position, a new measure at the front would change all later ones.
    if (
        isinstance(value, list)
        and value
        and all(isinstance(item, dict) and item.get("name") for item in value)
    ):
        named = {item["name"]: item for item in value}
        if len(named) == len(value):
            return named
    return value


def _none_if_empty(value: Json) -> Json:
    return value if value not in ({}, [], "") else None


def is_unseen_seed(before: NodeMetadata, after: NodeMetadata) -> bool:
    """Return True if the rows are unknown: over 1 MiB for dbt, and the file was not found on both sides."""
    if after.resource_type != "seed" or "path" not in (before.checksum_rule, after.checksum_rule):
        return False
    return not (before.code_hash and after.code_hash) and before.checksum_rule == after.checksum_rule


def templates_of(base: ProjectSide, before: NodeMetadata, after: NodeMetadata) -> tuple[str, str]:
    """Return the code of both sides; a `ref` has the package in its name if no edge of both shows the node.

    dbt records no edge for a branch that is not taken, so only the text says which of two packages it reads.
    """
    codes = before.raw_code or "", after.raw_code or ""
    if codes[0] == codes[1] or "python" in (before.language, after.language):
        return codes
    both = {one for one in before.parents if base.heirs.get(one, one) in after.parents}
    both |= {base.heirs.get(one, one) for one in both}
    shown = {(parts[1], parts[2]) for one in both if len(parts := one.split(".")) > 2}
    old, new = (with_packages(code, after.package_name, shown) for code in codes)
    return old, new


def new_failure(before: NodeMetadata | None, after: NodeMetadata, base: ProjectSide) -> str | None:
    """Return why the build of *after* fails, or may fail; None if that of *before* failed so."""
    found = after.properties.get(BUILD_FAILURE)
    known = before and before.properties.get(BUILD_FAILURE)
    if not found or (known and known["problem"] == found["problem"]):
        return None
    unless = found.get("unless")
    # A macro that base defines is not one of dbt.
    doubt = "" if unless is None or base.macro_named(unless) else build_doubt(unless)
    return f"{BUILD_MAY_FAIL if doubt else BUILD_FAILS}: {found['problem']}{doubt} ({found['place']})"


def build_doubt(unless: str) -> str:
    """Return what would let a node be built although *unless* is not known."""
    if unless == UNLESS_VARS:
        return ", unless --vars sets other values"
    return f", unless {unless}" if " " in unless else ", unless dbt or its adapter does"
