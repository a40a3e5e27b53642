"""Functions of dbt 1.11: the manifest leaves out the names by which SQL calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project


def run(folder: Path, schema: str, style: str, body: str) -> Project:
    def named(kind: str, name: str, **more: object) -> dict[str, object]:
        place = {"database": "db", "schema": schema, "name": name, "alias": name, "package_name": "shop"}
        return {**place, "unique_id": f"{kind}.shop.{name}", "resource_type": kind, **more}

    relation = style.format
    called = f"select {relation('db', schema, 'twice')}(1) as a"
    model = named(
        "model",
        "m",
        relation_name=relation("db", schema, "m"),
        raw_code="select {{ function('twice') }}(1) as a",
        compiled_code=called,
        depends_on={"nodes": ["function.shop.twice"]},
    )
    function = named("function", "twice", relation_name=None, raw_code=body, compiled_code=body)
    manifest = {
        "metadata": {"project_name": "shop", "adapter_type": "postgres"},
        "nodes": {"model.shop.m": model},
        "functions": {"function.shop.twice": function},
    }
    path = folder / f"{schema}{len(body)}"
    path.mkdir()
    (path / "manifest.json").write_text(json.dumps(manifest))
    return extract_project(path, run_id=path.name)


@pytest.mark.parametrize("style", ['"{}"."{}"."{}"', "`{}`.`{}`.`{}`", "{}.{}.{}"])
def test_models_that_call_a_function_in_another_schema_are_equal(tmp_path: Path, style: str) -> None:
    base, moved, edited = (
        run(tmp_path, schema, style, body)
        for schema, body in (("prod", "select 2"), ("ci", "select 2"), ("ci", "select 22"))
    )
    assert not whole_diff(base, moved, NOTHING_MORE).changed
    diff = whole_diff(base, edited, NOTHING_MORE)
    assert [(one.name, one.category) for one in diff.changed] == [("twice", "unknown")]
    assert [one.name for one in diff.impacted] == ["m"]
