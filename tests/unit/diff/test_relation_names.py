"""Edits of macros that name relations, apart from the schemas of two targets."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from recce_meta.diff.changes import compare
from recce_meta.diff.project_side import ProjectSide
from recce_meta.models import MacroMetadata, NodeMetadata, Project, Reason, RunMetadata

OF_DBT = "{{ target.schema if custom_schema_name is none else target.schema ~ '_' ~ custom_schema_name }}"
BY_TARGET = (
    "{% if target.name == 'prod' %}{{ custom_schema_name or target.schema }}"
    "{% else %}{{ target.schema }}{% endif %}"
)


def side(
    schema: str, text: str, package: str, target: str | None = None, name: str = "schema"
) -> ProjectSide:
    macro = f"generate_{name}_name"
    node = NodeMetadata(
        unique_id="model.shop.m",
        name="m",
        resource_type="model",
        package_name="shop",
        raw_code="select 1",
        materialized="table",
        database_name="db",
        schema_name=schema,
        identifier="m",
        relation_name=f'"db"."{schema}"."m"',
    )
    run = RunMetadata(
        run_id=f"r{schema}",
        run_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
        project_name="shop",
        environment="e",
        adapter_type="postgres",
        target_name=target,
        target_database="db",
        target_schema=schema,
    )
    found = MacroMetadata(
        unique_id=f"macro.{package}.{macro}",
        name=macro,
        package_name=package,
        macro_sql=f"{{% macro {macro}(custom_{name}_name=none, node=none) %}}{text}{{% endmacro %}}",
    )
    return ProjectSide.of(Project(run=run, nodes=(node,), macros=(found,)))


def reasons(base: ProjectSide, current: ProjectSide) -> dict[str, Reason]:
    (change,) = (one for one in compare(base, current).values() if one.resource_type != "macro")
    return {detail.key: detail.reason for detail in change.details if detail.key == "schema_name"}


@pytest.mark.parametrize(
    ("current", "reason"),
    [
        (side("evil", "evil", "shop"), Reason.RELATION),
        (side("dev_x", "{{ target.schema }}_x", "shop"), Reason.RELATION),
        (side("dev", OF_DBT, "dbt"), Reason.ENVIRONMENT),
        (side("dev", f"{{# as dbt #}}{OF_DBT}", "shop"), Reason.ENVIRONMENT),
        (side("dev", BY_TARGET, "shop", target="dev"), Reason.ENVIRONMENT),
        (side("dev", "{{ run_query('select 1') }}", "shop"), Reason.ENVIRONMENT),
    ],
    ids=[
        "ignores the target",
        "appends",
        "unedited",
        "comment",
        "as before in the target",
        "needs the database",
    ],
)
def test_a_move_of_all_nodes_is_an_edit_if_the_macros_name_them_otherwise(
    current: ProjectSide, reason: Reason
) -> None:
    assert reasons(side("prod", OF_DBT, "dbt"), current) == {"schema_name": reason}


def test_an_edit_that_changes_no_name_moves_nothing() -> None:
    base, current = side("prod", OF_DBT, "shop"), side("dev", BY_TARGET, "shop")

    assert reasons(base, current) == {"schema_name": Reason.ENVIRONMENT}
