"""Property changes of a node: everything that it declares apart from its code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import convert
from msgspec.structs import replace

from recce_meta.diff.causes import Causes, has_jinja, is_unread, template
from recce_meta.diff.code import same_code
from recce_meta.diff.project_side import constraints_of, differences, normalise
from recce_meta.models import ChangeDetail, Column, Json, NodeMetadata, Reason
from recce_meta.models.node import CONTRACT_ORDER, SEED_HEADER
from recce_meta.warehouses import warehouse_of_adapter
from recce_meta.warehouses.hooks import hook_texts

DIALECTS = {"sqlserver": "tsql", "fabric": "tsql", "synapse": "tsql"}
"""sqlglot's dialect names that differ from dbt's adapter names."""

SIZED_CATALOGS = frozenset(["duckdb"])
"""Adapters whose catalog shows the size of each type that has one: `DECIMAL(18,2)`."""

WITHOUT_SIZE = frozenset(
    """smallint integer int bigint tinyint hugeint int64 boolean bool date real double float64 uuid
    json jsonb text""".split()
) | {"double precision"}
"""Types without a size, as catalogs name them."""


def column_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield columns of the relation that were added, removed, retyped or reordered.

    Yields nothing unless both sides come from the catalog, or from the file of a seed: documented columns
    may not exist.
    """
    sides = [_existing(before), _existing(after)]
    if all(SEED_HEADER in node.properties for node in (before, after)):
        types = sides if None not in sides else [(), ()]
        sides = [_of_header(*side) for side in zip((before, after), types, strict=True)]
    if None in sides or sides[0] == sides[1]:
        return
    has_case = _keeps_case(after, causes.adapter)
    old, new = (_by_name(columns or (), has_case=has_case) for columns in sides)
    for name, column in old.items():
        if name not in new:
            yield ChangeDetail(Reason.COLUMNS, column.name, column.type or "", None)
        elif None in (column.type, new[name].type):
            # The type of a seed's column without `column_types` is inferred from its values.
            continue
        elif not _same_in_catalogs(column.type, new[name].type, causes):
            yield ChangeDetail(Reason.COLUMNS, new[name].name, column.type, new[name].type)
    for name, column in new.items():
        if name not in old:
            yield ChangeDetail(Reason.COLUMNS, column.name, None, column.type or "")
    common = _common_order([*old], [*new])
    if common[0] != common[1]:
        yield ChangeDetail(Reason.COLUMNS, "(order)", *([old[n].name for n in names] for names in common))


def _keeps_case(node: NodeMetadata, adapter: str | None) -> bool:
    """Return True if *node* is a seed with quoted columns that differ from those of another case."""
    warehouse = warehouse_of_adapter(adapter)
    if SEED_HEADER not in node.properties or warehouse is None or not warehouse.quotes_keep_case:
        return False
    quotes = node.config.get("quote_columns")
    return quotes if isinstance(quotes, bool) else adapter != "snowflake"


def _existing(node: NodeMetadata) -> tuple[Column, ...] | None:
    return node.columns if node.columns_from == "catalog" else None


def _of_header(seed: NodeMetadata, typed: tuple[Column, ...] | None) -> tuple[Column, ...]:
    """Return the columns of the file of *seed*, with their types if they are in *typed*."""
    known = _by_name(typed or ())
    names = seed.properties[SEED_HEADER] or ()
    return tuple(replace(known.get(name.lower()) or Column(name=name), name=name) for name in names)


def contract_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield changes of an enforced contract, or of documented types and constraints."""
    if _documented_alike(before, after) and before.contract == after.contract:
        return
    enforced = (bool(before.contract), bool(after.contract))
    if enforced[0] != enforced[1]:
        yield ChangeDetail(Reason.CONTRACT, "enforced", *enforced)
    aliases = [(node.contract or {}).get("alias_types", True) for node in (before, after)]
    if all(enforced) and aliases[0] != aliases[1]:
        yield ChangeDetail(Reason.CONTRACT, "alias_types", *aliases)
    if declares_table(before) and declares_table(after):
        yield from _order_of_contract(before, after)
    # Without an enforced contract, types and constraints are only documentation.
    reason = Reason.CONTRACT if all(enforced) else Reason.CONFIG
    constraints = (before.properties.get("constraints"), after.properties.get("constraints"))
    if not _same_constraints(*constraints) and not causes.new_field(*constraints):
        yield ChangeDetail(reason, "constraints", *constraints)
    old, new = documented_by_name(before), documented_by_name(after)
    for name in sorted(old.keys() | new.keys()):
        left, right = old.get(name), new.get(name)
        if left is None or right is None:
            if all(enforced):
                yield ChangeDetail(
                    Reason.CONTRACT, name, *(c and (c.documented_type or "") for c in (left, right))
                )
            else:
                yield from _listed(name, left, right, causes)
                if causes.macros.reader_of("columns", before, after):
                    listed = (None if one is None else one.name for one in (left, right))
                    yield ChangeDetail(Reason.CONFIG, f"columns.{name}", *listed)
            continue
        if not same_type(left.documented_type, right.documented_type, causes.adapter):
            key = name if all(enforced) else f"columns.{name}.data_type"
            yield ChangeDetail(reason, key, left.documented_type, right.documented_type)
        if all(enforced) and left.name != right.name:
            yield ChangeDetail(reason, f"columns.{name}.name", left.name, right.name)
        if not _same_constraints(left.constraints, right.constraints):
            key = f"columns.{name}.constraints"
            yield ChangeDetail(reason, key, list(left.constraints), list(right.constraints))
        yield from _column_config(name, left, right, causes)


def declares_table(node: NodeMetadata) -> bool:
    """Return True if dbt creates the table with the contract's columns, in its order and of its types.

    The contract of a view is checked, and the view has the columns of its query.
    """
    return bool(node.contract) and node.materialized != "view"


def _order_of_contract(before: NodeMetadata, after: NodeMetadata) -> Iterator[ChangeDetail]:
    """Yield another order of the declared columns, unless catalogs show that of the table."""
    tables = _common_order(*([*_by_name(node.columns)] for node in (before, after)))
    if before.columns_from == after.columns_from == "catalog" and tables[0] != tables[1]:
        return
    orders = _common_order(_declared(before), _declared(after))
    if orders[0] != orders[1]:
        yield ChangeDetail(Reason.CONTRACT, "(order)", *orders)


def _declared(node: NodeMetadata) -> list[str]:
    known = node.properties.get(CONTRACT_ORDER) if node.columns_from == "catalog" else None
    return known or [*_by_name(node.columns)]


def _common_order(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names that both have, in the order of each."""
    return [name for name in old if name in new], [name for name in new if name in old]


def converted_columns(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> list[str]:
    """Return the columns whose values dbt may convert on one side only, to the type that a contract declares.

    dbt compares types by their family: it accepts 1.55 for a `numeric(10,0)`, which rounds it. Equal types in
    both catalogs prove that nothing is converted, if they show sizes. An incremental table keeps its types
    until a full refresh.
    """
    if declares_table(before) is declares_table(after):
        return []
    declared = documented_by_name(before if declares_table(before) else after)
    catalogs = before.columns_from == after.columns_from == "catalog"
    catalogs = catalogs and {before.materialized, after.materialized} <= {"table", "view"}
    old, new = ({one.name.lower(): one.type for one in side.columns} for side in (before, after))
    return [
        column.name
        for name, column in declared.items()
        if column.documented_type
        and not (
            catalogs
            and old.get(name)
            and _same_in_catalogs(old[name], new.get(name), causes)
            and _shows_size(old[name] or "", causes.adapter)
        )
    ]


def _shows_size(kind: str, adapter: str | None) -> bool:
    return "(" in kind or adapter in SIZED_CATALOGS or kind.lower() in WITHOUT_SIZE


def _listed(name: str, left: Column | None, right: Column | None, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield what is documented of a column that one side's YAML does not list."""
    old, new = left or Column(name), right or Column(name)
    for key in ("documented_type", "constraints"):
        values = [getattr(column, key) or None for column in (old, new)]
        if values[0] != values[1]:
            shown = [list(one) if isinstance(one, tuple) else one for one in values]
            path = f"columns.{name}.{'data_type' if key == 'documented_type' else key}"
            yield ChangeDetail(Reason.CONFIG, path, *shown)
    yield from _column_config(name, old, new, causes)
    if not (old.description or new.description):
        # A test lists its column, too. Without a text, the documentation is the same.
        yield ChangeDetail(Reason.FORMATTING, name, *(c and "" for c in (left, right)))


def description_details(before: NodeMetadata, after: NodeMetadata) -> Iterator[ChangeDetail]:
    """Yield changed descriptions of the node, its source and its columns."""
    if _documented_alike(before, after) and before.description == after.description:
        return
    old, new = _descriptions(before), _descriptions(after)
    for key in sorted(old.keys() | new.keys()):
        left, right = old.get(key, ""), new.get(key, "")
        if left != right:
            same = left.split() == right.split()
            yield ChangeDetail(Reason.FORMATTING if same else Reason.DESCRIPTIONS, key, left, right)


def _documented_alike(before: NodeMetadata, after: NodeMetadata) -> bool:
    return before.columns == after.columns and before.properties == after.properties


def _descriptions(node: NodeMetadata) -> dict[str, str]:
    texts = {"(model)": node.description, "(source)": node.properties.get("source_description") or ""}
    return texts | {name: column.description for name, column in documented_by_name(node).items()}


def documented_columns(node: NodeMetadata) -> list[Column]:
    """Return the columns that the project's YAML names, including those that are not in the relation."""
    columns = [column for column in node.columns if column.documented]
    return columns + [convert(raw, Column) for raw in node.properties.get("columns_not_in_catalog", ())]


def documented_by_name(node: NodeMetadata) -> dict[str, Column]:
    """Return `documented_columns` by lower-case name."""
    return {column.name.lower(): column for column in documented_columns(node)}


def _same_in_catalogs(base: str | None, current: str | None, causes: Causes) -> bool:
    """Return True if two catalogs show the same type; the same dbt version always uses the same spelling."""
    if causes.same_dbt and causes.base.adapter == causes.current.adapter:
        return (base or "").lower() == (current or "").lower()
    return same_type(base, current, causes.adapter)


def same_type(base: str | None, current: str | None, adapter: str | None) -> bool:
    """Return True if both names are the same warehouse type: `varchar` and `text`, `int` and `integer`."""
    if base == current or (base or "").lower() == (current or "").lower():
        return True
    if not base or not current:
        return False
    return _normal_type(base, adapter) == _normal_type(current, adapter)


@lru_cache(maxsize=1024)
def _normal_type(text: str, adapter: str | None) -> str:
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    dialect = DIALECTS.get(adapter or "", adapter)
    try:
        kind = exp.DataType.build(text, dialect=dialect)
    except (SqlglotError, ValueError):
        return " ".join(text.lower().split())
    # Only without a length: `VARCHAR(10)` is not TEXT.
    return kind.sql().upper().replace("VARCHAR", "TEXT") if not kind.expressions else kind.sql().upper()


def _by_name(columns: tuple[Column, ...], *, has_case: bool = False) -> Mapping[str, Column]:
    """Return columns by lower-case name, or by exact name if *has_case* or two differ only in case."""
    folded = {column.name.lower(): column for column in columns}
    return (
        folded
        if len(folded) == len(columns) and not has_case
        else {column.name: column for column in columns}
    )


def _same_constraints(left: Json, right: Json) -> bool:
    """Return True if both require the same; dbt's `warn_…` keys are ignored."""
    kept = [
        [
            {key: value for key, value in constraint.items() if not key.startswith("warn_")}
            for constraint in constraints_of(constraints)
        ]
        for constraints in (left, right)
    ]
    return bool(normalise(kept[0]) == normalise(kept[1]))


def _column_config(name: str, left: Column, right: Column, causes: Causes) -> Iterator[ChangeDetail]:
    pairs = {
        "meta": (left.meta, right.meta),
        "tags": (sorted(left.tags), sorted(right.tags)),
        "quote": (left.quote or None, right.quote or None),
    }
    for key, (old, new) in pairs.items():
        for path, base, current in differences(old, new, f"columns.{name}.{key}"):
            if causes.new_field(base, current):
                continue  # dbt's Rust engine copies the model's value to its columns
            yield ChangeDetail(Reason.CONFIG, path, base, current)


ELSEWHERE = frozenset(
    """database schema alias target_database target_schema enabled contract tags meta group access
    quoting""".split()
)
"""Keys that other functions compare: the node's location, its contract, and keys repeated on the node."""
COMPARED_HERE = frozenset([("schema", "saved_query"), ("enabled", "function")])
"""Keys for resource types that no other function compares. A disabled function stays in `functions`."""

REPEATED = {
    "source": frozenset(["freshness", "loaded_at_field", "loaded_at_query"]),
    "analysis": frozenset(["materialized", "docs"]),
}
"""Keys that this resource type also has as properties, or that do not apply to it."""

DEFINITION = {
    "metric": frozenset(
        """type type_params filter filters calculation_method expression sql model model_unique_id timestamp
        time_grains dimensions window time_granularity""".split()
    ),
    "semantic_model": frozenset("model defaults entities measures dimensions primary_entity".split()),
    "saved_query": frozenset("query_params exports".split()),
    "unit_test": frozenset("model given expect overrides versions".split()),
    "test": frozenset("test_metadata column_name".split()),
}
"""Properties that define these resources, as SQL defines a model."""

SQL = frozenset(
    """pre-hook post-hook where sql_header loaded_at_field loaded_at_query expr expression filter
    where_filters where_sql_template""".split()
)
"""Keys whose value is SQL, with or without Jinja."""

DERIVED = frozenset(
    """file_key_name attached_node identifier unrendered_database unrendered_schema constraints
    columns_not_in_catalog quoting source_description patch_path build_failure
    seed_header contract_order""".split()
)
"""Properties that are derived from other properties, or that other functions compare."""

FOLLOWS = "type_params.input_measures"
"""dbt collects this from the input metrics, which report their own changes."""


def config_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield the configuration keys whose value changed, each with its cause."""
    if before.resource_type == "operation":
        return
    yield from _repeated(before, after, causes)
    if before.config == after.config and before.unrendered_config == after.unrendered_config:
        return
    base, current = _config(before), _config(after)
    for key in sorted(base.keys() | current.keys()):
        old, new = base.get(key), current.get(key)
        if key in ELSEWHERE and before.relation_name != after.relation_name:
            continue
        if old == new or normalise(old) == normalise(new) or _default_of_dbt(key, before, after, causes):
            continue
        for path, left, right in differences(old, new, key):
            same = _same_sql(path, left, right, causes)
            reason = Reason.FORMATTING if same else causes.of_config(before, after, path)
            yield ChangeDetail(reason, path, left, right)


def property_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield changes specific to the resource type: owners, measures, test arguments, freshness, …"""
    if before.properties == after.properties:
        return
    definition = DEFINITION.get(before.resource_type, frozenset())
    for key in sorted(before.properties.keys() | after.properties.keys()):
        if key in DERIVED or is_unread(key, before, causes.base.run, causes.current.run):
            continue
        old, new = before.properties.get(key), after.properties.get(key)
        if key == "columns":
            old, new = _of_columns(old, new), _of_columns(new, old)
        for path, left, right in differences(old, new, key):
            if causes.new_field(left, right) or path.startswith(FOLLOWS) or _is_place(path):
                continue
            yield ChangeDetail(_reason(path, left, right, key in definition, causes), path, left, right)


def _of_columns(value: Json, other: Json) -> Json:
    """Return *value* with each column of *other*, so that keys of columns are compared one by one."""
    listed = [each if isinstance(each, dict) else {} for each in (value, other)]
    return {name: listed[0].get(name) or {} for name in (*listed[0], *listed[1])}


def _is_place(path: str) -> bool:
    """Return True for the position in a file of a member of a semantic model."""
    return path.split(".")[0] in ("dimensions", "entities", "measures") and path.split(".")[2:3] == [
        "metadata"
    ]


def _reason(path: str, left: Json, right: Json, defines: bool, causes: Causes) -> Reason:
    """Return why a property differs; *defines* marks a property that defines the resource."""
    *_, last = parts = path.split(".")
    if last == "description":
        return Reason.DESCRIPTIONS
    if _same_sql(path, left, right, causes):
        return Reason.FORMATTING
    return Reason.BODY if defines and last != "label" and "meta" not in parts else Reason.CONFIG


def _same_sql(path: str, left: Json, right: Json, causes: Causes) -> bool:
    """Return True if both values are equivalent SQL (hooks are lists of SQL, filters are objects)."""
    return not SQL.isdisjoint(path.split(".")) and _same_texts(left, right, causes.adapter)


def _same_texts(left: Json, right: Json, adapter: str | None) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return same_code(left, right, adapter=adapter)
    if isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        return all(_same_texts(left[key], right[key], adapter) for key in left)
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return all(_same_texts(old, new, adapter) for old, new in zip(left, right, strict=True))
    return bool(left == right)


def _repeated(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Yield changes of tags, meta, group and access, which dbt writes on the node, its config, or both."""
    if set(before.tags) != set(after.tags):
        reason = causes.of_config(before, after, "tags")
        yield ChangeDetail(reason, "tags", list(before.tags), list(after.tags))
    for path, left, right in differences(before.meta, after.meta, "meta"):
        if causes.new_field(before.meta, after.meta):
            continue  # dbt 1.7 drops the meta of sources
        yield ChangeDetail(causes.of_config(before, after, path), path, left, right)
    if before.group_name != after.group_name and before.resource_type != "test":  # from its model
        yield ChangeDetail(Reason.CONFIG, "group", before.group_name, after.group_name)
    if (before.access or "protected") != (after.access or "protected"):
        yield ChangeDetail(Reason.CONFIG, "access", before.access, after.access)


def _config(node: NodeMetadata) -> dict[str, Json]:
    """Return the configuration with one spelling of each key and hooks as text.

    It is rendered, except for templates that only dbt can render; these can be of any key.
    """
    repeated = REPEATED.get(node.resource_type, frozenset())
    config = {
        key.replace("_hook", "-hook") if key in ("pre_hook", "post_hook") else key: value
        for key, value in node.config.items()
        if (key not in ELSEWHERE or (key, node.resource_type) in COMPARED_HERE)
        and key not in repeated
        and not _is_folder(value)
    }
    config |= {
        key: value
        for key, value in node.unrendered_config.items()
        if has_jinja(value) and key.replace("_hook", "-hook") not in {*node.config, *config}
    }
    for key in ("pre-hook", "post-hook"):
        if hooks := config.get(key):
            listed = hooks if isinstance(hooks, list) else [hooks]
            config[key] = [
                {"sql": text, "transaction": False}
                if isinstance(hook, dict) and hook.get("transaction") is False
                else text
                for hook, text in zip(listed, hook_texts(hooks), strict=True)
            ]
    if isinstance(config.get("severity"), str):
        config["severity"] = config["severity"].lower()  # dbt 1.9 and 2.0 write WARN
    return config


def _is_folder(value: Json) -> bool:
    """Return True if dbt mistook a folder of dbt_project.yml for a key: `{"+materialized": "table"}`."""
    return isinstance(value, dict) and any(key.startswith("+") for key in value)


def _default_of_dbt(key: str, before: NodeMetadata, after: NodeMetadata, causes: Causes) -> bool:
    """Return True if the difference must come from the two dbt versions that wrote the sides.

    Supported keys and their defaults change between releases. `unrendered_config` holds the values that the
    project sets. If it is the same on both sides and contains no Jinja, the project did not change the key.
    """
    if causes.same_dbt:
        return False
    old, new = template(before, key), template(after, key)
    return normalise(old) == normalise(new) and not has_jinja(old)
