"""Settings of nodes: reading a mapping, merging globs and meta, matching globs, and malformed meta."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from recce_meta.config.nodes import (
    NO_SETTINGS,
    EffectiveSettings,
    InvalidNodeSettings,
    NodeSettings,
    matches_glob,
    read_node_settings,
    settings_of,
)
from recce_meta.models import Json, NodeMetadata
from recce_meta.profiles.lined_yaml import LinedReader, read_lined

ALL = """\
key: order_id, line
where: status <> 'draft'
sample: 10%
tolerance: 0.01
relative_tolerance: 1e-9
exclude: [loaded_at, batch]
compare: values
"""


def node(settings: Json = None, **fields: object) -> NodeMetadata:
    meta = {} if settings is None else {"recce_meta": settings}
    common: dict[str, object] = {
        "unique_id": "model.shop.orders",
        "name": "orders",
        "resource_type": "model",
        "path": "models/marts/orders.sql",
        "meta": meta,
    }
    return NodeMetadata(**{**common, **fields})  # type: ignore[arg-type]  # fields of the test


def read(text: str, tmp_path: Path) -> tuple[NodeSettings, LinedReader]:
    path = tmp_path / "settings.yml"
    path.write_text(text)
    reader = LinedReader(path)
    return read_node_settings(reader, read_lined(path), "nodes.orders"), reader


def test_every_setting_is_read_with_the_digits_of_the_file(tmp_path: Path) -> None:
    settings, reader = read(ALL, tmp_path)
    assert not reader.problems
    assert settings == NodeSettings(
        key=("order_id", "line"),
        where="status <> 'draft'",
        sample=10.0,
        tolerance=Decimal("0.01"),
        relative_tolerance=Decimal("1e-9"),
        exclude=("loaded_at", "batch"),
        compare="values",
    )


def test_meta_from_json_gives_the_same_settings_as_a_file() -> None:
    settings = settings_of(node({"key": ["a", "b"], "tolerance": 0.001, "sample": "5 %", "exclude": "x,y"}))
    assert settings == EffectiveSettings(
        key=("a", "b"), tolerance=Decimal("0.001"), sample=5.0, exclude=("x", "y")
    )


def test_problems_have_the_line_and_the_nearest_name(tmp_path: Path) -> None:
    text = "key: [id]\ntolerence: 1\nsample: 10\ncompare: row\nwhere: 5\n"
    settings, reader = read(text, tmp_path)
    assert settings == NodeSettings(key=("id",))
    assert [(problem.line, problem.message, problem.hint) for problem in reader.problems] == [
        (
            2,
            "unknown key 'tolerence' in nodes.orders",
            "did you mean 'tolerance'?",
        ),
        (5, "where must be a string, not 5", reader.problems[1].hint),
        (3, "sample must be a share of the keys such as 10%, not 10", None),
        (4, "compare cannot be 'row'", "did you mean 'rows'?"),
    ]


@pytest.mark.parametrize("given", ["values", 5, ["key"], True])
def test_settings_that_are_not_a_mapping_are_a_problem(given: Json) -> None:
    with pytest.raises(
        InvalidNodeSettings, match=r"meta\.recce_meta of orders must be a mapping, not "
    ) as raised:
        settings_of(node(given))
    assert raised.value.hint is not None and "compare" in raised.value.hint


def test_malformed_meta_names_the_node_the_key_and_the_nearest_name() -> None:
    with pytest.raises(InvalidNodeSettings) as raised:
        settings_of(node({"exclde": ["a"]}))
    assert raised.value.message == "unknown key 'exclde' in meta.recce_meta of orders"
    assert raised.value.hint == "did you mean 'exclude'?"
    with pytest.raises(InvalidNodeSettings) as raised:
        settings_of(node({"key": [], "compare": "rows"}))
    assert raised.value.message == "meta.recce_meta of orders is invalid: key must name at least one column"


def test_the_last_glob_that_has_a_key_wins_and_globs_beat_meta() -> None:
    globs = [
        ("*", NodeSettings(tolerance=Decimal(1), compare="rows")),
        ("models/marts/*", NodeSettings(tolerance=Decimal(2), where="a > 1")),
        ("customers", NodeSettings(tolerance=Decimal(3))),
    ]
    found = settings_of(node({"tolerance": 9, "key": "id"}), globs)
    assert found == EffectiveSettings(key=("id",), tolerance=Decimal(2), where="a > 1", compare="rows")


def test_an_empty_list_of_a_glob_removes_the_exclusions_of_meta() -> None:
    assert settings_of(node({"exclude": ["a"]}), [("orders", NodeSettings(exclude=()))]).exclude == ()


def test_meta_in_config_counts_if_the_node_has_no_other() -> None:
    assert settings_of(node(config={"meta": {"recce_meta": {"compare": "none"}}})).compare == "none"
    assert settings_of(node(config={"meta": "text"})) == NO_SETTINGS


@pytest.mark.parametrize(
    "glob, matches",
    [
        ("orders", True),
        ("ord*", True),
        ("model.shop.*", True),
        ("models/marts/*", True),
        ("models/*", True),
        ("*.sql", True),
        ("Orders", False),
        ("order", False),
        ("models/marts", False),
        ("orders.v2", False),
    ],
)
def test_a_glob_matches_name_unique_id_or_path(glob: str, matches: bool) -> None:
    assert matches_glob(glob, node()) is matches


def test_a_glob_matches_versions_and_sources_by_their_names() -> None:
    assert matches_glob("orders.v2", node(version="2"))
    source = node(unique_id="source.shop.raw.orders", resource_type="source", source_name="raw")
    assert matches_glob("raw.*", source)
    assert matches_glob("public.*", node(unique_id="relation.public.film", name="film", path=""))
