"""Configuration and definition: what the project says of a node beside its code."""

from __future__ import annotations

from collections.abc import Iterator

from recce_meta.diff.causes import Causes, has_jinja, hook_texts, template
from recce_meta.diff.code import same_code
from recce_meta.diff.values import differences, normal
from recce_meta.models import ChangeDetail, Json, NodeMetadata, Reason

ELSEWHERE = frozenset(
    """database schema alias target_database target_schema enabled contract tags meta group access
    quoting""".split()
)
"""Keys that other functions compare: where the node lives, its contract, and what the node itself repeats."""

REPEATED = {
    "source": frozenset(["freshness", "loaded_at_field", "loaded_at_query"]),
    "analysis": frozenset(["materialized", "docs"]),
}
"""Keys that this resource type has as properties too, or that mean nothing to it."""

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
"""Properties that are to these resources what SQL is to a model."""

SQL = frozenset(
    """pre-hook post-hook where sql_header loaded_at_field loaded_at_query expr expression filter
    where_filters where_sql_template""".split()
)
"""Keys whose value is SQL, with or without Jinja."""

DERIVED = frozenset(
    """file_key_name attached_node identifier unrendered_database unrendered_schema constraints
    columns_not_in_catalog quoting source_description patch_path""".split()
)
"""Properties that follow from others, or that other functions compare."""

FOLLOWS = "type_params.input_measures"
"""dbt gathers these from the metrics that a metric is made of, which tell their own changes."""


def config_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Keys whose value changed, each with its cause."""
    if before.resource_type == "operation":
        return
    yield from _repeated(before, after, causes)
    if before.config == after.config:
        return
    base, current = _config(before), _config(after)
    for key in sorted(base.keys() | current.keys()):
        old, new = base.get(key), current.get(key)
        if old == new or normal(old) == normal(new) or _default_of_dbt(key, before, after, causes):
            continue
        for path, left, right in differences(old, new, key):
            same = _same_sql(path, left, right, causes)
            reason = Reason.FORMATTING if same else causes.of_config(before, after, path)
            yield ChangeDetail(reason, path, left, right)


def property_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """What only this resource type has: owners, measures, test arguments, freshness, …"""
    if before.properties == after.properties:
        return
    definition = DEFINITION.get(before.resource_type, frozenset())
    for key in sorted(before.properties.keys() | after.properties.keys()):
        if key in DERIVED:
            continue
        for path, left, right in differences(before.properties.get(key), after.properties.get(key), key):
            if causes.new_field(left, right) or path.startswith(FOLLOWS):
                continue
            yield ChangeDetail(_reason(path, left, right, key in definition, causes), path, left, right)


def _reason(path: str, left: Json, right: Json, defines: bool, causes: Causes) -> Reason:
    """Why a property differs; *defines* says that it is what the resource consists of."""
    *_, last = parts = path.split(".")
    if last == "description":
        return Reason.DESCRIPTIONS
    if _same_sql(path, left, right, causes):
        return Reason.FORMATTING
    return Reason.BODY if defines and last != "label" and "meta" not in parts else Reason.CONFIG


def _same_sql(path: str, left: Json, right: Json, causes: Causes) -> bool:
    """Whether two values are SQL (hooks are lists of it, filters objects) that means the same."""
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
    """Tags, meta, group and access, which dbt keeps on the node, in its configuration, or in both."""
    if set(before.tags) != set(after.tags):
        reason = causes.of_config(before, after, "tags")
        yield ChangeDetail(reason, "tags", list(before.tags), list(after.tags))
    for path, left, right in differences(before.meta, after.meta, "meta"):
        if causes.new_field(before.meta, after.meta):
            continue  # dbt 1.7 drops the meta of sources
        yield ChangeDetail(causes.of_config(before, after, path), path, left, right)
    if before.group_name != after.group_name and before.resource_type != "test":  # which has its model's
        yield ChangeDetail(Reason.CONFIG, "group", before.group_name, after.group_name)
    if (before.access or "protected") != (after.access or "protected"):
        yield ChangeDetail(Reason.CONFIG, "access", before.access, after.access)


def _config(node: NodeMetadata) -> dict[str, Json]:
    """The rendered configuration under one spelling of each key, with hooks as their texts."""
    repeated = REPEATED.get(node.resource_type, frozenset())
    config = {
        key.replace("_hook", "-hook") if key in ("pre_hook", "post_hook") else key: value
        for key, value in node.config.items()
        if key not in ELSEWHERE and key not in repeated and not _is_folder(value)
    }
    for key in ("pre-hook", "post-hook"):
        if config.get(key):
            config[key] = hook_texts(config[key])
    if isinstance(config.get("severity"), str):
        config["severity"] = config["severity"].lower()  # dbt 1.9 and 2.0 write WARN
    return config


def _is_folder(value: Json) -> bool:
    """Whether dbt took a folder of dbt_project.yml for a key: `{"+materialized": "table"}`."""
    return isinstance(value, dict) and any(key.startswith("+") for key in value)


def _default_of_dbt(key: str, before: NodeMetadata, after: NodeMetadata, causes: Causes) -> bool:
    """Whether the two versions of dbt that wrote the sides must have caused the difference.

    What a version knows, and its default, changes from release to release; what the project itself set is
    in `unrendered_config`. Where that is the same on both sides and holds no Jinja, nobody changed it.
    """
    if causes.same_dbt:
        return False
    old, new = template(before, key), template(after, key)
    return normal(old) == normal(new) and not has_jinja(old)
