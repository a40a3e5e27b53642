"""YAML selectors: dbt's own answers, and definitions that dbt rejects."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from recce_meta.errors import ConfigurationError, SelectorError, UnknownNameError
from recce_meta.extractors.manifest import read_manifest
from recce_meta.extractors.selector_file import read_selectors
from recce_meta.graph import Indirect, build_lineage_graph, select
from recce_meta.graph.yaml_selectors import YamlSelectors, yaml_selectors
from recce_meta.models import Project, RunMetadata

DATA = Path(__file__).parents[2] / "data" / "selectors"
RECORDED = json.loads(gzip.decompress((DATA / "answers.json.gz").read_bytes()))
NODES = {node.unique_id: node for node in read_manifest(DATA / "manifest.json.gz").nodes}
GRAPH = build_lineage_graph(NODES.values())
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
RUN = RunMetadata(run_id="1", run_at=AT, project_name="selshop", dbt_version="1.11.16")
PROJECT = Project(run=RUN, nodes=())


def selected(name: str, mode: str, source: YamlSelectors, within: str = "") -> list[str]:
    """Return the nodes of the selector *name*."""
    with yaml_selectors(lambda: source):
        found = select(
            f"selector:{name}{within}",
            NODES,
            GRAPH,
            state=RECORDED["states"].__getitem__,
            project=PROJECT,
            indirect=Indirect(mode),
        )
    return sorted(found)


@pytest.mark.parametrize("folder", [DATA, None], ids=["file", "manifest"])
def test_dbt_selects_the_same_nodes(folder: Path | None, subtests: pytest.Subtests) -> None:
    source = read_selectors(folder, DATA, {})
    counted = 0
    for mode, answers in RECORDED["answers"].items():
        for name, ids in answers.items():
            if " " in name:
                continue
            with subtests.test(name, mode=mode):
                assert selected(name, mode, source) == ids
            counted += 1

    assert counted > 150


def test_graph_operators_and_intersections_apply_to_selectors() -> None:
    source = read_selectors(DATA, DATA, {})

    assert selected("simple_intersection", "empty", source, "+1,resource_type:model") == [
        *("model.selshop.customers", "model.selshop.orders", "model.selshop.revenue"),
    ]


def test_variables_of_the_environment_are_rendered() -> None:
    source = read_selectors(DATA, DATA, {"SEL_TAG": "month end"})

    assert selected("jinja", "empty", source) == ["model.selshop.revenue"]


def of(*entries: Any) -> YamlSelectors:
    names = "abc"
    return YamlSelectors(
        tuple({"name": name, "definition": one} for name, one in zip(names, entries, strict=False)),
        "selectors.yml",
    )


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ({"union": ["x"], "exclude": ["y"]}, "must be the only key"),
        ({"union": "x"}, "'union' must be a list"),
        ({"method": "selector", "value": "b"}, "no selector 'b' is defined above it"),
        ({"union": ["x", {"exclude": ["y"]}, {"exclude": ["z"]}]}, "more than one 'exclude'"),
        ({"method": "tag", "parents": True}, "expected one key, or 'method' and 'value'"),
        (["x"], "must be a text or a mapping"),
        ({"method": "tag", "value": ["x", "y"]}, "must be a text"),
        ({"method": "tag", "value": "x", "childrens_parents": True, "children": True}, "cannot be combined"),
        ({"method": "tag", "value": "x", "parents_depth": "two"}, "must be a number"),
        ({"union": [3]}, "expected a text or a mapping"),
    ],
)
def test_definitions_that_dbt_rejects_are_rejected(definition: Any, problem: str) -> None:
    with pytest.raises(SelectorError, match=problem) as caught:
        selected("a", "empty", of(definition, "orders"))

    assert "selector 'a' in selectors.yml" in caught.value.message


def test_unknown_names_have_suggestions() -> None:
    source = read_selectors(DATA, DATA, {})

    with pytest.raises(UnknownNameError, match="Unknown selector 'nigthly'") as caught:
        selected("nigthly", "empty", source)
    assert caught.value.hint == "did you mean 'nightly'?"
    with pytest.raises(UnknownNameError, match=r"'nope:x' of the definition of selector 'a' in sel"):
        selected("a", "empty", of({"nope": "x"}))
    with pytest.raises(UnknownNameError, match="Unknown indirect_selection 'sometimes'"):
        selected("a", "empty", of({"method": "tag", "value": "x", "indirect_selection": "sometimes"}))


def test_selectors_are_read_only_by_commands() -> None:
    with pytest.raises(SelectorError, match="YAML selectors are not read here") as caught:
        select("selector:nightly", NODES, GRAPH)

    assert "--selector NAME" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("selectors: {name: a}", "is not a list"),
        ("selectors: [{definition: a}]", "Entry 1 of 'selectors' .* has no name"),
        ("selectors: [{name: a, definition: '{{ env_var(\"ABSENT\") }}'}]", "'ABSENT' is not set"),
        ("selectors: [{name: a, definition: '{{ target.name }}'}]", "cannot be rendered"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "selectors.yml").write_text(text)

    with pytest.raises(ConfigurationError, match=problem):
        read_selectors(tmp_path, tmp_path, {})


def test_a_project_without_selectors_and_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"neither .*selectors.yml nor a manifest"):
        read_selectors(tmp_path, tmp_path / "target", {})
