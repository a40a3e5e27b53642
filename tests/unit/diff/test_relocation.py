"""Whether an edit moved a relation, or another target did."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from recce_meta.diff.changes import detect_changes
from recce_meta.models import NodeMetadata, Project, Reason, RunMetadata


def project(schema: str, template: str) -> Project:
    """A model that lies in *schema*, which the project wrote as *template*."""
    run = RunMetadata(
        run_id="r",
        run_at=datetime(2026, 11, 1, tzinfo=timezone.utc),
        project_name="shop",
        target_schema="prod",
    )
    node = NodeMetadata(
        unique_id="model.shop.orders",
        name="orders",
        resource_type="model",
        raw_code="select 1",
        schema_name=schema,
        relation_name=f'"db"."{schema}"."orders"',
        unrendered_config={"schema": template},
    )
    return Project(run=run, nodes=(node,))


@pytest.mark.parametrize(
    ("base", "current", "reason"),
    [
        ("{{ target.name }}_a", "{{ target.name }}_b", Reason.RELATION),
        ("{% if target.name %}a{% endif %}", "{% if target.name %}b{% endif %}", Reason.RELATION),
        ("{% if target.name %}a{% endif %}", "{% if target.name %}a{% endif %}", Reason.ENVIRONMENT),
    ],
)
def test_another_template_of_a_place_is_an_edit(base: str, current: str, reason: Reason) -> None:
    changes = detect_changes(project("prod_a", base), project("prod_b", current))

    assert changes["model.shop.orders"].reasons == (reason,)
