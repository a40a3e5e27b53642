"""dbt's rules for `state:modified`, reproduced exactly, including their known flaws.

`recce_meta.diff.changes` reports what changed; this module reports what dbt would select. They differ: dbt
counts a changed comment but not a changed variable in SQL, compares unrendered configuration, and treats a
new source as unmodified.

The rules are those of the dbt release that wrote the current run, following the methods that dbt compares
nodes with (`same_contents` and the `same_…` that it calls). From 1.8 to 1.12 only these rules changed:

    1.9   exports of saved queries are compared; a removed contracted version is refused
    1.10  tags of saved queries are compared
    1.11  the size of a contracted type no longer breaks the contract; functions are compared
    1.12  `sql_header` of a test counts; database and schema of a source are compared unrendered

Source: https://docs.getdbt.com/reference/node-selection/state-comparison-caveats, and dbt-core itself.

If the contract of a versioned model is broken, dbt raises an error for `state:modified`; for a model without
versions it warns. Source: https://docs.getdbt.com/reference/resource-configs/contract

dbt has no rules for two scans of a database: `scan_state_resolver` answers `state:` selectors with our own
diff.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from recce_meta.diff.changes import detect_changes
from recce_meta.diff.project_side import constraints_of
from recce_meta.diff.properties import documented_by_name, documented_columns
from recce_meta.errors import SelectorError, UnknownNameError
from recce_meta.graph.selection import FRESHER, NEWEST, Release, StateResolver, release
from recce_meta.models import COSMETIC, Change, Json, MacroMetadata, NodeMetadata, Project, Reason, Status
from recce_meta.models.moments import utc_time
from recce_meta.models.node import SourceFreshness
from recce_meta.warehouses import enforced_constraints

ENFORCING = frozenset(["table", "incremental"])
"""Materializations whose contract constraints dbt creates in the warehouse."""

_WITHOUT_WAREHOUSE: Mapping[str | None, frozenset[str]] = {"spark": frozenset()}
"""Constraints that other adapters of dbt enforce (`CONSTRAINT_SUPPORT`)."""
_DEFAULT = frozenset(["not_null", "foreign_key"])
"""Constraints that dbt's base adapter enforces."""


def same_contract(base: NodeMetadata, current: NodeMetadata) -> bool:
    """Return True if the contract is enforced on neither side, or on both with equal checksums."""
    if base.contract is None or current.contract is None:
        return base.contract is current.contract
    return bool(base.contract.get("checksum") == current.contract.get("checksum"))


def broken_contract(
    base: NodeMetadata, current: NodeMetadata, *, adapter: str | None, rules: Release
) -> tuple[str, ...]:
    """Return one sentence for each way in which the current model breaks base's enforced contract."""
    if base.contract is None or same_contract(base, current):
        return ()
    reasons = [] if current.contract else ["its contract is no longer enforced"]
    reasons += _column_breaks(base, current, sized_types=rules < (1, 11))
    if _upholds(base):
        enforced = enforced_constraints(adapter)
        if enforced is None:
            enforced = _WITHOUT_WAREHOUSE.get(adapter, _DEFAULT)
        reasons += _constraint_breaks(base, current, enforced)
        constrained = base.properties.get("constraints") or any(
            c.constraints for c in documented_by_name(base).values()
        )
        if constrained and not _upholds(current):
            reasons.append(f"it is no longer a {base.materialized} but a {current.materialized}")
    return tuple(reasons)


def removed_contract(base: NodeMetadata, now: datetime) -> tuple[str, ...]:
    """Return why *base* must not be removed: an enforced contract whose deprecation date is not past."""
    if base.contract is None or _is_past(base.properties.get("deprecation_date"), now):
        return ()
    return ("it had an enforced contract and is deleted, renamed or disabled",)


def _column_breaks(base: NodeMetadata, current: NodeMetadata, *, sized_types: bool) -> Iterator[str]:
    after = documented_by_name(current)
    for name, column in documented_by_name(base).items():
        if name not in after:
            yield f"column {column.name} is removed"
            continue
        types = (column.documented_type, after[name].documented_type)
        if types[0] != types[1] and (sized_types or _unsized(types[0]) != _unsized(types[1])):
            yield f"column {column.name} changes its type from {types[0]} to {types[1]}"


def _constraint_breaks(base: NodeMetadata, current: NodeMetadata, enforced: frozenset[str]) -> Iterator[str]:
    after = documented_by_name(current)
    for name, column in documented_by_name(base).items():
        if name in after:
            for kind in _removed(column.constraints, after[name].constraints, enforced):
                yield f"constraint {kind} of column {column.name} is removed"
    before, now = (node.properties.get("constraints") for node in (base, current))
    for kind in _removed(before, now, enforced):
        yield f"constraint {kind} is removed"


def _removed(before: Json, after: Json, enforced: frozenset[str]) -> list[str]:
    """Return the kinds of enforced constraints that are in *before* but not in *after*."""
    remaining = [_said(constraint) for constraint in constraints_of(after)]
    kinds = [str(one.get("type")) for one in constraints_of(before) if _said(one) not in remaining]
    return [kind for kind in kinds if kind in enforced]


def _said(constraint: dict[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in constraint.items() if value is not None}


def _upholds(node: NodeMetadata) -> bool:
    return node.materialized in ENFORCING


def _unsized(type_name: str | None) -> str | None:
    """Return the type without its size: `varchar` for `VARCHAR(10)`."""
    return type_name.split("(", 1)[0].strip().lower() if type_name else type_name


def _is_past(date: Json, now: datetime) -> bool:
    if not isinstance(date, str):
        return False
    return utc_time(date) < now


Thing = TypeVar("Thing", NodeMetadata, MacroMetadata)

BUILT_OR_TESTED = frozenset(["model", "seed", "snapshot", "test", "analysis", "function"])
"""Resource types that dbt stores in `nodes` (and `functions`): one class, with a body and a relation."""

SUB_SELECTORS: Mapping[str, frozenset[str]] = {
    "body": BUILT_OR_TESTED,
    "configs": BUILT_OR_TESTED | {"source", "exposure", "metric", "semantic_model", "saved_query"},
    "contract": BUILT_OR_TESTED,
    "macros": BUILT_OR_TESTED | {"exposure", "metric", "semantic_model", "saved_query", "unit_test"},
    "persisted_descriptions": BUILT_OR_TESTED,
    "relation": BUILT_OR_TESTED | {"source"},
}
"""Sub-selectors (`state:modified.<name>`), with the resource types that each can select."""

STATES = ("modified", *(f"modified.{name}" for name in SUB_SELECTORS), "new", "old", "unmodified")

NOT_COMPARED = frozenset(["alias", "schema", "database", "tags", "group"])
"""Config keys that dbt compares as part of the relation, or not at all."""
TEST_CONFIG = (
    *("severity", "where", "limit", "fail_calc", "warn_if", "error_if"),
    *("store_failures", "store_failures_as", "sql_header"),
)
PLACE = ("database", "schema", "alias")


class Refusal(Struct, frozen=True, kw_only=True):
    """Reason why dbt raises an error for `state:modified` and `state:modified.<selector>`."""

    unique_id: str
    selector: str
    """`contract` or `macros`."""
    reason: str


def dbt_state(base: Project, current: Project) -> dict[str, frozenset[str]]:
    """Return dbt's result for each listed node of *current*: `modified`, sub-selectors, `new`.

    A node with an empty set is unmodified. If dbt would raise (`dbt_refusals`), this is the result without
    the error. Operations, macros, groups and removed nodes are never listed.
    """
    before = _by_id(base.nodes)
    rules = release(current.run.dbt_version)
    tainted = changed_macros(_by_id(base.macros), _by_id(current.macros))
    return {
        node.unique_id: node_state(before.get(node.unique_id), node, tainted=tainted, rules=rules)
        for node in current.nodes
        if _is_listed(node, rules)
    }


def node_state(
    base: NodeMetadata | None,
    current: NodeMetadata,
    *,
    tainted: Collection[str] = (),
    rules: Release = NEWEST,
) -> frozenset[str]:
    """Return which of `modified`, sub-selectors and `new` apply to *current*; *tainted* macros changed."""
    kind = current.resource_type
    found = {
        name
        for name, differs in DIFFERENCES.items()
        if kind in SUB_SELECTORS[name] and (base is None or differs(base, current, rules))
    }
    if kind in SUB_SELECTORS["macros"] and any(macro in tainted for macro in current.macros):
        found.add("macros")
    if base is None:
        found.add("new")
    if "macros" in found or _is_modified(base, current, found, rules):
        found.add("modified")
    return frozenset(found)


def dbt_state_resolver(base: Project, current: Project) -> StateResolver:
    """Return a resolver of `state:` selectors that follows dbt and returns ids of *current*."""
    states = dbt_state(base, current)

    def resolve(name: str) -> frozenset[str]:
        if name == FRESHER:
            return fresher_sources(base, current)
        if name not in STATES:
            raise UnknownNameError("state", name, STATES, where="after 'state:'")
        if name in ("unmodified", "old"):
            absent = "modified" if name == "unmodified" else "new"
            return frozenset(unique_id for unique_id, found in states.items() if absent not in found)
        wanted = name.removeprefix("modified.")
        return frozenset(unique_id for unique_id, found in states.items() if wanted in found)

    return resolve


def fresher_sources(base: Project, current: Project) -> frozenset[str]:
    """Return the sources of *current* with newer rows than in *base*, or that *base* does not have.

    Raises SelectorError if a run has no freshness.
    """
    for side, project in (("base", base), ("current", current)):
        if not project.freshness:
            raise SelectorError(
                f"'source_status:' requires the freshness of sources, but {side} has none",
                hint="record the run after dbt source freshness",
            )
    before = {one.unique_id: one for one in base.freshness}
    return frozenset(
        one.unique_id
        for one in current.freshness
        if one.max_loaded_at is not None
        and ((old := before.get(one.unique_id)) is None or _is_older(old, one.max_loaded_at))
    )


def _is_older(old: SourceFreshness, loaded: datetime) -> bool:
    # As in dbt, a source whose former measurement failed is not fresher.
    return not old.error and (old.max_loaded_at is None or old.max_loaded_at < loaded)


def diff_state_resolver(base: Project, current: Project) -> StateResolver:
    """Return a resolver for diffs, in which nodes that only *base* has are `modified` too.

    Otherwise a check of `state:modified+` would skip a model that a pull request removes. Sub-selectors such
    as `modified.body`, and `old`, exclude removed nodes as dbt does.
    """
    resolve = dbt_state_resolver(base, current)
    here = {node.unique_id for node in current.nodes}
    rules = release(current.run.dbt_version)
    removed = {
        node.unique_id: node_state(None, node, rules=rules)
        for node in base.nodes
        if node.unique_id not in here and _is_listed(node, rules)
    }

    def resolve_with_removed(name: str) -> frozenset[str]:
        found = frozenset(resolve(name))
        if name != "modified":
            return found
        return frozenset([*found, *(unique_id for unique_id, states in removed.items() if name in states)])

    return resolve_with_removed


def dbt_refusals(base: Project, current: Project) -> tuple[Refusal, ...]:
    """Return what makes dbt raise: broken contracts of versioned models, and tests whose macro is missing."""
    return (*_contract_refusals(base, current), *_macro_refusals(base, current))


def changed_macros(base: Mapping[str, MacroMetadata], current: Mapping[str, MacroMetadata]) -> frozenset[str]:
    """Return unique ids of macros that were added, removed or edited in any character, and their callers."""
    callers: dict[str, list[str]] = defaultdict(list)
    for macro in current.values():
        for called in macro.macros:
            callers[called].append(macro.unique_id)
    changed = {
        unique_id
        for unique_id in base.keys() | current.keys()
        if unique_id not in base
        or unique_id not in current
        or base[unique_id].macro_sql != current[unique_id].macro_sql
    }
    reached, waiting = set(changed), list(changed)
    while waiting:
        news = [caller for caller in callers[waiting.pop()] if caller not in reached]
        reached.update(news)
        waiting.extend(news)
    return frozenset(reached)


def _by_id(things: Iterable[Thing]) -> dict[str, Thing]:
    return {thing.unique_id: thing for thing in things}


def _is_listed(node: NodeMetadata, rules: Release) -> bool:
    # dbt 1.8 omits saved queries when it compares states.
    unknown = "saved_query" if rules < (1, 9) else "operation"
    return node.resource_type not in ("operation", unknown)


def _is_modified(base: NodeMetadata | None, current: NodeMetadata, found: set[str], rules: Release) -> bool:
    """Return True if dbt finds changed contents, given the sub-selectors in *found*."""
    kind = current.resource_type
    if base is None:
        # For dbt, new sources and new semantic-layer nodes are not modified.
        return kind in BUILT_OR_TESTED or kind == "unit_test"
    if kind == "test" and "test_metadata" in current.properties:
        # dbt compares only these for a generic test: its SQL follows from its arguments and its macro.
        return "configs" in found or base.fqn != current.fqn
    if kind in BUILT_OR_TESTED:
        others = OTHER_FIELDS.get(kind, ())
        return bool(found) or base.fqn != current.fqn or _differ(others, base, current)
    if kind == "unit_test":
        return base.checksum != current.checksum
    others = OTHER_FIELDS.get(kind, ())
    return bool(found) or _differ(others, base, current) or _parts_differ(base, current, rules)


def _parts_differ(base: NodeMetadata, current: NodeMetadata, rules: Release) -> bool:
    """Compare the fields that need more than a comparison of one value."""
    if current.resource_type == "saved_query":
        return _exports(base) != _exports(current) or (rules >= (1, 10) and base.tags != current.tags)
    # Of all resources, dbt compares the parents of exposures alone, in any order.
    return current.resource_type == "exposure" and set(base.parents) != set(current.parents)


def _body_differs(base: NodeMetadata, current: NodeMetadata, rules: Release) -> bool:
    if current.resource_type != "seed":
        return base.raw_code != current.raw_code
    # dbt hashes only the path of a seed over 1 MiB, not its contents.
    by_path = [node.checksum_rule == "path" for node in (base, current)]
    return by_path[0] != by_path[1] or base.checksum != current.checksum


def _configs_differ(base: NodeMetadata, current: NodeMetadata, rules: Release) -> bool:
    """Compare unrendered configuration: a variable's name, not its value."""
    kind = current.resource_type
    # dbt compares the rendered configuration of these types.
    if kind in ("semantic_model", "saved_query"):
        return bool(_bare(base.config) != _bare(current.config))
    before, after = base.unrendered_config, current.unrendered_config
    if kind == "test":
        keys: Iterable[str] = TEST_CONFIG if rules >= (1, 12) else TEST_CONFIG[:-1]
    elif kind == "metric":
        keys = (before.keys() | after.keys()) - {"group"}
    else:
        keys = (before.keys() | after.keys()) - (NOT_COMPARED if kind in BUILT_OR_TESTED else set())
    # For dbt, a key that is set to null differs from an absent key.
    return any((key in before, before.get(key)) != (key in after, after.get(key)) for key in keys)


def _relation_differs(base: NodeMetadata, current: NodeMetadata, rules: Release) -> bool:
    """Return True if the configured location differs. Before dbt 1.12, source locations are rendered."""
    if current.resource_type == "source":
        place = _unrendered_place if rules >= (1, 12) else _place
        return place(base) != place(current)
    return any(base.unrendered_config.get(key) != current.unrendered_config.get(key) for key in PLACE)


def _place(source: NodeMetadata) -> tuple[str | None, ...]:
    return source.database_name, source.schema_name, source.identifier


def _unrendered_place(source: NodeMetadata) -> tuple[Json, ...]:
    properties = source.properties
    return properties.get("unrendered_database"), properties.get("unrendered_schema"), source.identifier


def _descriptions_differ(base: NodeMetadata, current: NodeMetadata, rules: Release) -> bool:
    """Compare the descriptions that the current configuration persists in the warehouse."""
    persisted = current.config.get("persist_docs")
    if not isinstance(persisted, dict) or current.resource_type == "test":
        return False
    if persisted.get("relation") and base.description != current.description:
        return True
    return bool(persisted.get("columns")) and column_texts(base, current) != column_texts(current, base)


def column_texts(node: NodeMetadata, other: NodeMetadata) -> dict[str, str]:
    """Return the descriptions of the documented columns, by name.

    Names are lower-cased if either side has a catalog, because they then have the warehouse's case.
    """
    folded = "catalog" in (node.columns_from, other.columns_from)
    return {
        column.name.lower() if folded else column.name: column.description
        for column in documented_columns(node)
    }


def _contract_differs(base: NodeMetadata, current: NodeMetadata, rules: Release) -> bool:
    return current.resource_type == "model" and not same_contract(base, current)


DIFFERENCES: Mapping[str, Callable[[NodeMetadata, NodeMetadata, Release], bool]] = {
    "body": _body_differs,
    "configs": _configs_differ,
    "contract": _contract_differs,
    "persisted_descriptions": _descriptions_differ,
    "relation": _relation_differs,
}

OTHER_FIELDS: Mapping[str, tuple[str, ...]] = {
    "model": ("latest_version", "access", "deprecation_date"),
    "function": ("arguments", "returns", "overloads"),
    "source": ("fqn", "quoting", "freshness", "loaded_at_field", "external"),
    "exposure": ("fqn", "type", "owner", "maturity", "url", "description", "label"),
    "metric": ("type", "description", "label"),
    "semantic_model": (
        *("model", "description", "defaults", "entities", "dimensions", "measures"),
        *("primary_entity", "group_name"),
    ),
    "saved_query": ("metrics", "group_by", "where", "description", "label", "group_name"),
}
"""Fields that `modified` compares in addition to the sub-selectors; not a metric's parameters or filter."""

# A manifest may leave out a default that another version writes.
DEFAULTS: Mapping[str, Json] = {"access": "protected"}


def _differ(names: Iterable[str], base: NodeMetadata, current: NodeMetadata) -> bool:
    return any(_field(base, name) != _field(current, name) for name in names)


def _field(node: NodeMetadata, name: str) -> Json:
    """Return a field by dbt's name, from the node, its properties, or a saved query's parameters."""
    if name in NodeMetadata.__struct_fields__:
        value = getattr(node, name)
    elif name in ("metrics", "group_by", "where"):
        value = (node.properties.get("query_params") or {}).get(name)
    else:
        value = node.properties.get(name)
    return _bare(DEFAULTS.get(name) if value is None else value)


def _exports(query: NodeMetadata) -> list[tuple[Json, ...]]:
    keys = ("export_as", "schema", "alias")
    return [
        (export.get("name"), *((export.get("unrendered_config") or {}).get(key) for key in keys))
        for export in query.properties.get("exports") or ()
    ]


def _bare(value: Json) -> Json:
    """Return *value* without null members, which dbt treats as defaults."""
    if isinstance(value, dict):
        return {key: _bare(member) for key, member in value.items() if member is not None}
    return [_bare(item) for item in value] if isinstance(value, (list, tuple)) else value


def _contract_refusals(base: Project, current: Project) -> Iterable[Refusal]:
    rules, adapter = release(current.run.dbt_version), current.run.adapter_type
    after = _by_id(current.nodes)
    for node in base.nodes:
        if node.resource_type != "model" or node.version is None:
            continue
        found = after.get(node.unique_id)
        if found is not None:
            breaks = broken_contract(node, found, adapter=adapter, rules=rules)
        else:
            breaks = removed_contract(node, current.run.run_at) if rules >= (1, 9) else ()
        for reason in breaks:
            yield Refusal(unique_id=node.unique_id, selector="contract", reason=reason)


def _macro_refusals(base: Project, current: Project) -> Iterable[Refusal]:
    """Yield generic tests whose macro is missing, which dbt finds only if a macro changed."""
    if not changed_macros(_by_id(base.macros), _by_id(current.macros)):
        return
    for node in current.nodes:
        metadata = node.properties.get("test_metadata") if node.resource_type == "test" else None
        if not isinstance(metadata, dict) or not metadata.get("name"):
            continue
        macro = f"test_{metadata['name']}"
        if not any(called.rsplit(".", 1)[-1] == macro for called in node.macros):
            reason = f"its macro '{macro}' does not exist"
            yield Refusal(unique_id=node.unique_id, selector="macros", reason=reason)


REASONS = {
    "body": Reason.BODY,
    "configs": Reason.CONFIG,
    "relation": Reason.RELATION,
    "persisted_descriptions": Reason.DESCRIPTIONS,
    "macros": Reason.MACROS,
    "contract": Reason.CONTRACT,
}
"""dbt's sub-selectors and the corresponding reasons."""


def dbt_notes(base: Project, current: Project) -> list[str]:
    """Return a note for each node where dbt would stop with an error instead of returning a selection."""
    return [
        f"dbt itself stops at {refusal.unique_id} (state:modified.{refusal.selector}): {refusal.reason}"
        for refusal in dbt_refusals(base, current)
    ]


def dbt_changes(base: Project, current: Project) -> dict[str, Change]:
    """Return the nodes that dbt selects with `state:modified`, with dbt's reasons and any details of ours.

    dbt does not list removed nodes.
    """
    ours = detect_changes(base, current)
    nodes = {node.unique_id: node for node in current.nodes}
    found: dict[str, Change] = {}
    for unique_id, state in dbt_state(base, current).items():
        if "modified" not in state:
            continue
        reasons = tuple(reason for name, reason in REASONS.items() if name in state)
        known = ours.get(unique_id)
        node = nodes[unique_id]
        found[unique_id] = Change(
            unique_id=unique_id,
            name=node.label,
            resource_type=node.resource_type,
            path=node.path,
            status=Status.ADDED if "new" in state else Status.MODIFIED,
            reasons=() if "new" in state else reasons,
            details=tuple(detail for detail in known.details if detail.reason in reasons) if known else (),
        )
    return found


def scan_state_resolver(base: Project, current: Project) -> StateResolver:
    """Return a resolver of `new`, `old`, `modified`, `unmodified`, and `modified.<reason>`.

    Added and removed nodes are also modified, as in selections between dbt runs.
    """
    changes = {
        unique_id: change
        for unique_id, change in detect_changes(base, current).items()
        if change.status is not Status.UNCHANGED
    }
    here = {node.unique_id for node in current.nodes}
    new = {unique_id for unique_id, change in changes.items() if change.status is Status.ADDED}
    found = {
        "modified": frozenset(changes),
        "new": frozenset(new),
        "old": frozenset(here - new),
        "unmodified": frozenset(here - changes.keys()),
    }
    for reason in Reason:
        if reason not in COSMETIC:
            found[f"modified.{reason}"] = frozenset(
                unique_id for unique_id, change in changes.items() if reason in change.reasons
            )

    def resolve(name: str) -> frozenset[str]:
        if name not in found:
            raise UnknownNameError("state", name, sorted(found))
        return found[name]

    return resolve
