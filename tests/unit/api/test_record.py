"""What `record` says of a run id that is taken."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from recce_meta import demo_data
from recce_meta.api.record import record_project
from recce_meta.errors import StoreError
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project
from tests.support.once import empty_store


@pytest.fixture(scope="module")
def project() -> Project:
    return extract_project(demo_data.artifacts("base"), environment="base", git=GitState())


def test_another_projects_run_id_is_an_error(project: Project) -> None:
    other = replace(project, run=replace(project.run, project_name="other_shop"))
    with empty_store() as adapter:
        record_project(adapter, project)
        with pytest.raises(StoreError, match="belongs to project 'jaffle_shop'") as caught:
            record_project(adapter, other)
    assert "--run-id" in (caught.value.hint or "")


def test_other_contents_under_a_run_id_are_a_warning(project: Project) -> None:
    other = replace(project, nodes=project.nodes[1:])
    with empty_store() as adapter:
        first, again, third = (record_project(adapter, one) for one in (project, other, project))
    assert (first.is_new, again.is_new, third.is_new) == (True, False, False)
    assert [bool(recorded.warnings) for recorded in (first, again, third)] == [False, True, False]


def test_another_label_for_a_recorded_run_is_a_warning(project: Project) -> None:
    relabelled = replace(project, run=replace(project.run, environment="current"))
    with empty_store() as adapter:
        record_project(adapter, project)
        again = record_project(adapter, relabelled)
    assert not again.is_new
    assert "recorded as base and was not changed" in again.warnings[0]
