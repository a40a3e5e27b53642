"""Changes between two sides, node by node, with every reason.

A node is *modified* if something changed for a reader of the warehouse or of the documentation. It is
*unchanged* if its differences cannot come from an edit (another target, another dbt version) or have no
effect (comments, white space, a moved file). For each kind of reason one function yields the details;
`recce_meta.diff.causes` separates edits from the environment.

Two runs in different environments have different locations for every node, which is not a change. Locations
are compared relative to the target: `<target>_marts` and `<target>_finance` differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from msgspec import structs

from recce_meta.diff.causes import Causes, causes_of, has_jinja, template
from recce_meta.diff.code import jinja_names, same_code, variable_calls
from recce_meta.diff.disabled import disabled_pairs, switch_of
from recce_meta.diff.graph_reads import of_graph
from recce_meta.diff.project_side import ProjectSide, new_failure, templates_of
from recce_meta.diff.properties import (
    column_details,
    config_details,
    contract_details,
    description_details,
    property_details,
)
from recce_meta.diff.relation_names import NAMER_MACROS, NAMERS
from recce_meta.diff.scan import scanned_details
from recce_meta.models import (
    COSMETIC,
    Change,
    ChangeDetail,
    Json,
    LineageEdge,
    NodeMetadata,
    Project,
    Reason,
    Status,
)
from recce_meta.models.catalog import SCANNED
from recce_meta.models.node import BUILD_FAILURE, DISABLED, TWIN, as_enabled
from recce_meta.warehouses.hooks import hooks_and_macros

TARGET = "{target}"
MACRO = "macro"
"""Resource type of the change of a macro."""


def relation_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield differences in database, schema, identifier or quoting, caused by an edit or the environment."""
    if not before.relation_name or not after.relation_name:
        return
    places = (_place(before), _place(after))
    for key in places[0]:
        old, new = places[0][key], places[1][key]
        if old == new:
            continue
        relative = (_relative(key, old, causes.base), _relative(key, new, causes.current))
        moved = (
            causes.one_profile
            or (relative[0] != relative[1] and _by_edit(key, before, after, causes))
            or (_changed_macro(NAMERS[key][0], causes) and causes.relation_names.differ(key, before, after))
        )
        yield ChangeDetail(Reason.RELATION if moved else Reason.ENVIRONMENT, key, old, new)
    requoted = _quoting(before.relation_name) != _quoting(after.relation_name)
    if requoted or (places[0] == places[1] and before.relation_name != after.relation_name):
        same = causes.same_dbt and causes.base.adapter == causes.current.adapter
        reason = Reason.RELATION if same else Reason.ENVIRONMENT  # older dbt versions quote differently
        yield ChangeDetail(reason, "relation_name", before.relation_name, after.relation_name)


def _quoting(relation: str) -> str:
    """Return which parts of a relation's name are quoted: `"".""._` for `"db"."shop".orders`."""
    return re.sub(r'[^."]+', "_", re.sub(r'"[^"]*"|`[^`]*`|\[[^]]*\]', '""', relation))


def _place(node: NodeMetadata) -> dict[str, str | None]:
    return {
        "database_name": node.database_name,
        "schema_name": node.schema_name,
        "identifier": node.identifier,
    }


def _relative(key: str, value: str | None, side: ProjectSide) -> str | None:
    """Return the location with the target's own part replaced by a placeholder."""
    database, schema = side.place
    if key == "database_name":
        return TARGET if value == database else value
    # dbt's own `generate_schema_name` appends a custom schema to the target's.
    if key == "schema_name" and value and schema and (value == schema or value.startswith(f"{schema}_")):
        return TARGET + value[len(schema) :]
    return value


def _by_edit(key: str, before: NodeMetadata, after: NodeMetadata, causes: Causes) -> bool:
    """Return True if an edit must have moved the node, given that its relative location differs."""
    if any(_changed_macro(name, causes) for name in NAMER_MACROS):
        return True
    option = NAMERS[key][1]
    names = jinja_names(before.raw_code or "") | jinja_names(after.raw_code or "")
    for node in (before, after):
        names |= jinja_names(str(_written(option, node)))
    if "target" in names and before.raw_code == after.raw_code and _same_template(option, before, after):
        return False
    # With equal targets, an edit is the only visible cause, unless dbt read the node in another target.
    if causes.same_environment and not causes.defers:
        return True
    custom = (before.config.get(option), after.config.get(option))
    if before.resource_type == "source" and key != "identifier":
        written = [node.properties.get(f"unrendered_{option}") for node in (before, after)]
        return None not in written and written[0] != written[1]
    if custom[0] != custom[1]:
        return True
    # Databases and schemas differ between targets, names of relations only if a macro writes them.
    namers = [side.macro_named("generate_alias_name") for side in (causes.base, causes.current)]
    return key == "identifier" and (before.resource_type == "source" or not all(namers))


def _same_template(option: str, before: NodeMetadata, after: NodeMetadata) -> bool:
    """Return True if both sides have the same template, or none: `config(…)` calls are stored rendered."""
    old, new = _written(option, before), _written(option, after)
    return bool(old == new) or not (has_jinja(old) or has_jinja(new))


def _written(option: str, node: NodeMetadata) -> Json:
    """Return the option's unrendered value; for sources it is in the properties."""
    return node.unrendered_config.get(option) or node.properties.get(f"unrendered_{option}")


def _changed_macro(name: str, causes: Causes) -> bool:
    """Return True if the macro *name*, or one that it calls, was changed."""
    return any(
        not causes.macros.changed.isdisjoint(side.closure(side.macro_named(name)))
        for side in (causes.base, causes.current)
    )


Source = Project | Mapping[str, NodeMetadata] | Iterable[NodeMetadata]

REASONS = tuple(Reason)
READERS = frozenset(["model", "snapshot"])
"""Resource types that build a relation from their parents and so change if a source is redirected."""


def detect_changes(base: Source, current: Source) -> dict[str, Change]:
    """Return the change of each node that differs between *base* and *current*, by unique id, sorted.

    Each side is an extracted or loaded project, or a collection of nodes. Without runs and macros some causes
    (a macro, dbt's version) cannot be detected. Nodes are matched by unique id.
    """
    return compare(*both_sides(ProjectSide.of(base), ProjectSide.of(current)))


def both_sides(base: ProjectSide, current: ProjectSide) -> list[ProjectSide]:
    """Return both sides; base with the heirs of its relations: nodes of the same type with other ids.

    What a reader gets depends on the relation, and not on the name by which the project calls it.
    """
    found: list[dict[tuple[str | None, ...], list[str]]] = [{}, {}]
    for places, side, other in ((found[0], base, current), (found[1], current, base)):
        for unique_id, node in side.nodes.items():
            if node.relation_name and unique_id not in other.nodes:
                place = (_relative(key, value, side) for key, value in _place(node).items())
                places.setdefault((node.resource_type, *place), []).append(unique_id)
    heirs = {
        ids[0]: heir
        for place, ids in found[0].items()
        for heir in found[1].get(place, ())
        if len(ids) == len(found[1][place]) == 1
    }
    return [replace(base, heirs=heirs), current]


def compare(base: ProjectSide, current: ProjectSide) -> dict[str, Change]:
    """Return the changes between two sides, as `detect_changes` does."""
    causes = causes_of(base, current)
    found: dict[str, Change] = {}
    disabled = dict(disabled_pairs(causes))
    for unique_id, pair in disabled.items():
        if (change := _of_disabled(*pair, causes, is_twin=TWIN in unique_id)) is not None:
            found[unique_id] = structs.replace(change, unique_id=unique_id)
    renamed = renamed_by_dbt(base, current)
    # A renamed node is compared under its new id only.
    for unique_id in (base.nodes.keys() | current.nodes.keys()) - set(renamed.values()) - disabled.keys():
        if unique_id.startswith(f"{DISABLED}."):
            continue
        before, after = base.nodes.get(renamed.get(unique_id, unique_id)), current.nodes.get(unique_id)
        if before is None and after is not None:
            found[unique_id] = _change(after, Status.ADDED)
        elif after is None and before is not None:
            found[unique_id] = _change(before, Status.REMOVED)
        elif before is not None and after is not None:
            details = list(node_details(before, after, causes))
            if details:
                found[unique_id] = modified_node(after, details)
    for unique_id in causes.acting_elsewhere:
        found[unique_id] = _of_macro(unique_id, causes)
    consequences = [one(found, causes) for one in (_consequences, _of_variables, of_graph)]
    for unique_id, details in chain.from_iterable(each.items() for each in consequences):
        earlier = found.get(unique_id)
        if unique_id.startswith(f"{DISABLED}."):
            continue
        if earlier is None or earlier.status in (Status.MODIFIED, Status.UNCHANGED):
            found[unique_id] = modified_node(
                current.nodes[unique_id], [*(earlier.details if earlier else ()), *details]
            )
    return dict(sorted(found.items()))


def _of_disabled(
    before: NodeMetadata | None, after: NodeMetadata | None, causes: Causes, *, is_twin: bool
) -> Change | None:
    """Return the change of a node that one side or both have disabled, or None if it has none.

    That another file's node takes the place of a twin shows in the node that both sides have enabled.
    """
    if before is None or after is None:
        node = after or before
        status = Status.REMOVED if after is None else Status.ADDED
        return None if node is None else _change(as_enabled(node), status)
    old, new = as_enabled(before), as_enabled(after)
    switch = switch_of(before, after, causes)
    if switch is not None and is_twin:
        details = [*code_details(old, new, causes), *seed_details(old, new, causes)]
    elif switch is None:
        # Macros change the nodes that call them in this target.
        found = node_details(old, new, causes)
        details = [detail for detail in found if detail.reason is not Reason.MACROS]
        details += _written_place(old, new)
    else:
        if switch.reason is Reason.CONFIG and causes.same_environment:
            return _change(new, Status.REMOVED if after.resource_type == DISABLED else Status.ADDED)
        # Edges and places follow from the state.
        parts = (code_details, seed_details, config_details)
        details = [*chain.from_iterable(part(old, new, causes) for part in parts), switch]
    return modified_node(new, details) if details else None


def _written_place(before: NodeMetadata, after: NodeMetadata) -> Iterator[ChangeDetail]:
    """Yield the differences in what a disabled source says of its table, whose name dbt does not render."""
    if after.resource_type == "source":
        if before.identifier != after.identifier:
            yield ChangeDetail(Reason.RELATION, "identifier", before.identifier, after.identifier)
        for key in ("database", "schema"):
            old, new = (node.properties.get(f"unrendered_{key}") for node in (before, after))
            if old != new:
                yield ChangeDetail(Reason.RELATION, key, old, new)


def _of_macro(unique_id: str, causes: Causes) -> Change:
    """Return the change of a macro that acts on other targets only: one for all nodes that reach it."""
    macros = (causes.base.macros.get(unique_id), causes.current.macros.get(unique_id))
    texts = [macro and macro.macro_sql for macro in macros]
    return Change(
        unique_id=unique_id,
        name=unique_id.rpartition(".")[2],
        resource_type=MACRO,
        path=next((macro.path or "" for macro in reversed(macros) if macro is not None), ""),
        status=Status.MODIFIED,
        reasons=(Reason.MACROS,),
        details=(ChangeDetail(Reason.MACROS, unique_id, *texts),),
    )


def gone_ids(changes: Mapping[str, Change]) -> list[str]:
    """Return the ids of nodes that are removed, or whose relation is at another place by an edit."""
    return [
        unique_id
        for unique_id, change in changes.items()
        if change.status is Status.REMOVED or Reason.RELATION in change.reasons
    ]


def within(chosen: frozenset[str], changes: Mapping[str, Change], causes: Causes) -> dict[str, Change]:
    """Return the changes of the nodes *chosen*, and of the macros that they reach."""
    has_macros = any(change.resource_type == MACRO for change in changes.values())
    callers = causes.acting_elsewhere if has_macros else {}
    return {
        unique_id: change
        for unique_id, change in changes.items()
        if unique_id in chosen or not chosen.isdisjoint(callers.get(unique_id, ()))
    }


def renamed_by_dbt(base: ProjectSide, current: ProjectSide) -> dict[str, str]:
    """Map unique ids of *current* to those of *base* for nodes that only dbt renamed.

    The unit test of a versioned model is `….test_v3` in dbt-core and `….test.v3` in dbt's Rust engine.
    """
    if base.dbt_version == current.dbt_version:
        return {}
    sides = [
        {
            (node.fqn, node.version): unique_id
            for unique_id, node in side.nodes.items()
            if node.resource_type == "unit_test" and node.version is not None and unique_id not in other.nodes
        }
        for side, other in ((base, current), (current, base))
    ]
    return {after: sides[0][key] for key, after in sides[1].items() if key in sides[0]}


def renamed_edges(edges: Iterable[LineageEdge], base: ProjectSide, current: ProjectSide) -> set[LineageEdge]:
    """Return *edges* of *base* with the ids in *current* of the nodes that dbt renamed."""
    names = {before: after for after, before in renamed_by_dbt(base, current).items()}
    return {
        LineageEdge(names[edge.node_id], edge.parent_id) if edge.node_id in names else edge for edge in edges
    }


def node_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield every difference between two states of one node."""
    if before == after:  # the macros behind an equal entry may differ
        yield from causes.macro_details(before, after)
        return
    if after.resource_type in SCANNED:
        yield from scanned_details(before, after, causes)
        return
    yield from code_details(before, after, causes)
    yield from seed_details(before, after, causes)
    yield from config_details(before, after, causes)
    yield from property_details(before, after, causes)
    yield from relation_details(before, after, causes)
    yield from column_details(before, after, causes)
    yield from contract_details(before, after, causes)
    yield from description_details(before, after)
    if failure := new_failure(before, after, causes.base):
        yield ChangeDetail(Reason.COMPILED, BUILD_FAILURE, None, failure)
    for parent in sorted({causes.base.heirs.get(one, one) for one in before.parents} ^ set(after.parents)):
        added = parent in after.parents
        yield ChangeDetail(Reason.PARENTS, parent, None if added else True, True if added else None)
    if before.path != after.path and before.resource_type != "test":
        yield ChangeDetail(Reason.FORMATTING, "path", before.path, after.path)


def code_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield changes of body, compiled SQL and macros, including formatting and environment differences."""
    if before.resource_type == "seed":
        yield from causes.macro_details(before, after)
        return
    same_source = _same_source(before, after, causes)
    texts = (before.raw_code, after.raw_code)
    if not (same_source or _compiles_to_the_same(before, after, causes)) or (
        same_source and _configures_otherwise(before, after, causes)
    ):
        yield ChangeDetail(Reason.BODY, "raw_code", *texts)
    else:
        if texts[0] != texts[1]:
            yield ChangeDetail(Reason.FORMATTING, "raw_code", *texts)
        yield from compiled_details(before, after, causes)
    yield from causes.macro_details(before, after)


def compiled_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield a detail if the same source compiled to other SQL, except for Python: dbt writes a wrapper."""
    if "python" in (before.language, after.language) or causes.same_shown(before, after):
        return
    texts = (causes.base.compiled(before), causes.current.compiled(after))
    yield ChangeDetail(causes.of_compiled(before, after), "compiled_code", *texts)


def seed_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield changes of a seed's rows, from the file hash if both sides have it, else from dbt's checksum."""
    if before.resource_type != "seed":
        return
    if before.code_hash and after.code_hash:
        if before.code_hash != after.code_hash:
            yield ChangeDetail(Reason.DATA, "code_hash", before.code_hash, after.code_hash)
        elif before.checksum != after.checksum and before.checksum_rule == after.checksum_rule != "path":
            yield ChangeDetail(Reason.FORMATTING, "checksum", before.checksum, after.checksum)
        return
    rules = {before.checksum_rule, after.checksum_rule}
    if before.checksum == after.checksum or rules == {"path"}:
        return
    # dbt hashes the path of seeds above 1 MiB: a seed that crossed the limit has different rows.
    if "path" in rules or causes.same_checksum_rule(before, after):
        yield ChangeDetail(Reason.DATA, "checksum", before.checksum, after.checksum)


def _same_source(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> bool:
    if before.raw_code is None or after.raw_code is None:
        # This version of dbt does not write it, or it is known to be equal and was not fetched.
        return before.code_hash == after.code_hash or None in (before.code_hash, after.code_hash)
    codes = templates_of(causes.base, before, after)
    return same_code(*codes, language=after.language, adapter=causes.adapter)


def _compiles_to_the_same(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> bool:
    """Return True if the edited source has the same meaning for every target.

    Compiled SQL proves it for one target, one set of variables and one branch only.
    """
    if before.compiled_code is None or after.compiled_code is None or after.language == "python":
        return False
    if causes.macros.sends_otherwise(before, after):
        return False
    return causes.same_compiled(before, after) and not causes.every_target.hides(before, after)


def _configures_otherwise(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> bool:
    """Return True if an edited `config(…)` may fail, or act on another target, if the rest is equal."""
    codes = (before.raw_code, after.raw_code)
    if None in codes or codes[0] == codes[1] or after.language == "python":
        return False
    if not causes.is_compiled_by_dbt and before.compiled_code is not None and after.compiled_code is None:
        return True
    return causes.every_target.hides(before, after) or causes.macros.sends_otherwise(before, after)


def _consequences(found: Mapping[str, Change], causes: Causes) -> dict[str, list[ChangeDetail]]:
    """Return changes that a node's own entry cannot show: a parent source that was redirected, or a measure
    that was redefined."""
    moved = {
        unique_id
        for unique_id, change in found.items()
        if change.resource_type == "source" and Reason.RELATION in change.reasons
    }
    measures = {
        unique_id: {
            detail.key.split(".")[1]
            for detail in change.details
            if detail.key.startswith("measures.") and detail.reason is Reason.BODY
        }
        for unique_id, change in found.items()
        if change.resource_type == "semantic_model" and change.status is Status.MODIFIED
    }
    details: dict[str, list[ChangeDetail]] = {}
    if not moved and not measures:
        return details
    for unique_id, node in causes.current.nodes.items():
        keys = sorted(moved.intersection(node.parents)) if node.resource_type in READERS else []
        if node.resource_type == "metric":
            used = _measures(node)
            keys = [
                f"measures.{name}"
                for parent in node.parents
                for name in sorted(measures.get(parent, set()) & used)
            ]
        if keys and unique_id in causes.base.nodes:
            details[unique_id] = [ChangeDetail(Reason.COMPILED, key, True, True) for key in keys]
    return details


def differing_variables(found: Mapping[str, Change], causes: Causes) -> frozenset[str]:
    """Return calls of `var` and `env_var` with values that differ, or may differ, between both runs.

    Those of `var` differ if `--vars` does; others may explain why equal code has other SQL or settings.
    """
    same, other = causes.given_variables
    calls = set(other)
    for unique_id, change in found.items():
        before, after = causes.base.nodes.get(unique_id), causes.current.nodes.get(unique_id)
        if change.status is not Status.MODIFIED or before is None or after is None:
            continue
        if Reason.COMPILED in change.reasons and before.raw_code == after.raw_code:
            macros = causes.current.closure(after.macros)
            if before.parents == after.parents and macros.isdisjoint(causes.macros.changed):
                reached = (causes.current.macros.get(one) for one in macros)
                calls |= variable_calls(after.raw_code or "", *(one.macro_sql for one in reached if one))
        keys = {detail.key.split(".")[0] for detail in change.details if detail.reason is Reason.CONFIG}
        for old, new in ((template(before, key), template(after, key)) for key in keys):
            calls |= variable_calls(str(new)) if old == new else set()
    return frozenset(calls - same)


def _of_variables(found: Mapping[str, Change], causes: Causes) -> dict[str, list[ChangeDetail]]:
    """Return the variables with other values that nodes read where compiled SQL does not show it."""
    calls = differing_variables(found, causes)
    details: dict[str, list[ChangeDetail]] = {}
    for unique_id, node in causes.current.nodes.items() if calls else ():
        if unique_id in causes.base.nodes:
            texts = [*hooks_and_macros(node, causes.current.macros), *causes.macros.texts_out_of_sight(node)]
            if not causes.is_compiled_by_dbt and node.compiled_code is None:
                # Files of code that asks the database have no SQL that shows the value.
                reached = map(causes.current.macros.get, causes.current.closure(node.macros))
                texts += [node.raw_code or "", *(one.macro_sql for one in reached if one)]
            read = calls & variable_calls(*texts)
            if read:
                details[unique_id] = [
                    ChangeDetail(Reason.CONFIG, one, *causes.values_of(one)) for one in sorted(read)
                ]
    return details


def _measures(metric: NodeMetadata) -> set[str]:
    """Return the names of the measures that a metric uses."""
    params = metric.properties.get("type_params") or {}
    conversion = params.get("conversion_type_params") or {}
    used = [
        *(params.get(key) for key in ("measure", "numerator", "denominator")),
        *(params.get("input_measures") or ()),
        *(conversion.get(key) for key in ("base_measure", "conversion_measure")),
    ]
    return {item["name"] if isinstance(item, dict) else item for item in used if item}


def modified_node(node: NodeMetadata, details: Iterable[ChangeDetail]) -> Change:
    details = tuple(details)
    reasons = {detail.reason for detail in details}
    status = Status.UNCHANGED if reasons <= COSMETIC else Status.MODIFIED
    return _change(node, status, tuple(reason for reason in REASONS if reason in reasons), details)


def _change(
    node: NodeMetadata,
    status: Status,
    reasons: tuple[Reason, ...] = (),
    details: tuple[ChangeDetail, ...] = (),
) -> Change:
    return Change(
        unique_id=node.unique_id,
        name=node.label,
        resource_type=node.resource_type,
        path=node.path,
        status=status,
        reasons=reasons,
        details=details,
    )
