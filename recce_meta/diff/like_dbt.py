"""dbt's own notion of `state:modified`, to the letter, where it is wrong too.

`recce_meta.diff.changes` says what changed; this module says what dbt would select. They differ: dbt
calls a comment a change and a variable in SQL none, compares configuration as it is written, and finds
a new source unmodified.

The rules are those of the dbt release that wrote the current run, as its own methods compare nodes
(`same_contents` and the `same_…` that it calls). They did not change from 1.8 to 1.12 but for:

    1.9   exports of saved queries are compared; a removed contracted version is refused
    1.10  tags of saved queries are compared
    1.11  the size of a contracted type no longer breaks the contract; functions are compared
    1.12  `sql_header` of a test counts; database and schema of a source are compared as they are written

Source: https://docs.getdbt.com/reference/node-selection/state-comparison-caveats, and dbt-core itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

from msgspec import Struct

from recce_meta.diff.columns import documented_columns
from recce_meta.diff.dbt_contract import broken_contract, removed_contract, same_contract
from recce_meta.errors import UnknownNameError
from recce_meta.graph.methods import StateResolver
from recce_meta.graph.release import NEWEST, Release, release
from recce_meta.models import Json, MacroMetadata, NodeMetadata, Project

Thing = TypeVar("Thing", NodeMetadata, MacroMetadata)

BUILT_OR_TESTED = frozenset(["model", "seed", "snapshot", "test", "analysis", "function"])
"""What dbt keeps in `nodes` (and `functions`) and lists: all of one class, with a body and a relation."""

SUB_SELECTORS: Mapping[str, frozenset[str]] = {
    "body": BUILT_OR_TESTED,
    "configs": BUILT_OR_TESTED | {"source", "exposure", "metric", "semantic_model", "saved_query"},
    "contract": BUILT_OR_TESTED,
    "macros": BUILT_OR_TESTED | {"exposure", "metric", "semantic_model", "saved_query", "unit_test"},
    "persisted_descriptions": BUILT_OR_TESTED,
    "relation": BUILT_OR_TESTED | {"source"},
}
"""`state:modified.<name>` and the resource types that it can select."""

STATES = ("modified", *(f"modified.{name}" for name in SUB_SELECTORS), "new", "old", "unmodified")

NOT_COMPARED = frozenset(["alias", "schema", "database", "tags", "group"])
"""Configuration that dbt compares as part of the relation, or not at all."""
TEST_CONFIG = (
    *("severity", "where", "limit", "fail_calc", "warn_if", "error_if"),
    *("store_failures", "store_failures_as", "sql_header"),
)
PLACE = ("database", "schema", "alias")


class Refusal(Struct, frozen=True, kw_only=True):
    """Why dbt answers neither `state:modified` nor `state:modified.<selector>`: it raises instead."""

    unique_id: str
    selector: str
    """`contract` or `macros`."""
    reason: str


def dbt_state(base: Project, current: Project) -> dict[str, frozenset[str]]:
    """What dbt finds of each node of *current* that it lists: `modified`, sub-selectors, `new`.

    A node with an empty set is unmodified. Where dbt raises (`dbt_refusals`), this is what it would
    have answered otherwise. Operations, macros, groups and removed nodes are never listed.
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
    """Which of `modified`, the sub-selectors and `new` hold of *current*; *tainted* macros have changed."""
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
    """Answers `state:` in node selection as dbt does, with ids of *current*."""
    states = dbt_state(base, current)

    def resolve(name: str) -> frozenset[str]:
        if name not in STATES:
            raise UnknownNameError("state", name, STATES, where="after 'state:'")
        if name in ("unmodified", "old"):
            absent = "modified" if name == "unmodified" else "new"
            return frozenset(unique_id for unique_id, found in states.items() if absent not in found)
        wanted = name.removeprefix("modified.")
        return frozenset(unique_id for unique_id, found in states.items() if wanted in found)

    return resolve


def diff_state_resolver(base: Project, current: Project) -> StateResolver:
    """The same for diffs, which know both runs: nodes that only *base* has are `modified`, too.

    Otherwise a check of `state:modified+` would pass over a model that a pull request removes. Sub-selectors
    such as `modified.body`, and `old`, leave removed nodes out as dbt does.
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
    """What makes dbt raise: contracts of versioned models that break, and tests whose macro is gone."""
    return (*_contract_refusals(base, current), *_macro_refusals(base, current))


def changed_macros(base: Mapping[str, MacroMetadata], current: Mapping[str, MacroMetadata]) -> frozenset[str]:
    """Unique ids of macros that were added, removed or edited to the letter, and of all that call them."""
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
    # dbt 1.8 forgets saved queries when it compares states.
    unknown = "saved_query" if rules < (1, 9) else "operation"
    return node.resource_type not in ("operation", unknown)


def _is_modified(base: NodeMetadata | None, current: NodeMetadata, found: set[str], rules: Release) -> bool:
    """Whether dbt finds other contents, given the sub-selectors that it found."""
    kind = current.resource_type
    if base is None:
        # In dbt, sources and what the semantic layer reads are not modified by being new.
        return kind in BUILT_OR_TESTED or kind == "unit_test"
    if kind == "test" and "test_metadata" in current.properties:
        return "configs" in found or base.fqn != current.fqn
    if kind in BUILT_OR_TESTED:
        others = OTHER_FIELDS.get(kind, ())
        return bool(found) or base.fqn != current.fqn or _differ(others, base, current)
    if kind == "unit_test":
        return base.checksum != current.checksum
    others = OTHER_FIELDS.get(kind, ())
    return bool(found) or _differ(others, base, current) or _parts_differ(base, current, rules)


def _parts_differ(base: NodeMetadata, current: NodeMetadata, rules: Release) -> bool:
    """What needs more than a comparison of one field."""
    if current.resource_type == "saved_query":
        return _exports(base) != _exports(current) or (rules >= (1, 10) and base.tags != current.tags)
    return current.resource_type == "exposure" and set(base.parents) != set(current.parents)


def _body_differs(base: NodeMetadata, current: NodeMetadata, rules: Release) -> bool:
    if current.resource_type != "seed":
        return base.raw_code != current.raw_code
    # A seed over 1 MiB is known by its path alone, whatever it holds.
    by_path = [node.checksum_rule == "path" for node in (base, current)]
    return by_path[0] != by_path[1] or base.checksum != current.checksum


def _configs_differ(base: NodeMetadata, current: NodeMetadata, rules: Release) -> bool:
    """Configuration as it is written: a variable's name, not its value."""
    kind = current.resource_type
    if kind in ("semantic_model", "saved_query"):
        return bool(_bare(base.config) != _bare(current.config))
    before, after = base.unrendered_config, current.unrendered_config
    if kind == "test":
        keys: Iterable[str] = TEST_CONFIG if rules >= (1, 12) else TEST_CONFIG[:-1]
    elif kind == "metric":
        keys = (before.keys() | after.keys()) - {"group"}
    else:
        keys = (before.keys() | after.keys()) - (NOT_COMPARED if kind in BUILT_OR_TESTED else set())
    return any((key in before, before.get(key)) != (key in after, after.get(key)) for key in keys)


def _relation_differs(base: NodeMetadata, current: NodeMetadata, rules: Release) -> bool:
    """Return True if the configured place differs. Before dbt 1.12, places of sources are rendered ones."""
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
    """Descriptions that the current configuration writes into the warehouse."""
    persisted = current.config.get("persist_docs")
    if not isinstance(persisted, dict) or current.resource_type == "test":
        return False
    if persisted.get("relation") and base.description != current.description:
        return True
    return bool(persisted.get("columns")) and column_texts(base, current) != column_texts(current, base)


def column_texts(node: NodeMetadata, other: NodeMetadata) -> dict[str, str]:
    """Descriptions of the documented columns, by name.

    Where a catalog was read on either side, names are the warehouse's and their case means nothing.
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
"""What `modified` compares beside the sub-selectors. Of a metric neither its parameters nor its filter."""

DEFAULTS: Mapping[str, Json] = {"access": "protected"}


def _differ(names: Iterable[str], base: NodeMetadata, current: NodeMetadata) -> bool:
    return any(_field(base, name) != _field(current, name) for name in names)


def _field(node: NodeMetadata, name: str) -> Json:
    """A field by dbt's name: of the node, else of what only its type has, else of a query's parameters."""
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
    """*value* without members that are null: dbt reads both as its default."""
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
    """Generic tests whose macro is gone: dbt meets it when it follows their macros, if any has changed."""
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
