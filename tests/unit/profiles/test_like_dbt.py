"""Profiles give what dbt-core gave for the same ones (scripts/build_profile_answers.py)."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from recce_meta.errors import RecceMetaError
from recce_meta.profiles import find_project_dir, load_profile
from recce_meta.profiles.rendering import Renderer
from recce_meta.warehouses import Fields, warehouse_named

DATA = Path(__file__).parents[2] / "data" / "profiles"
CASES: Mapping[str, Any] = yaml.safe_load((DATA / "cases.yml").read_text(encoding="utf-8"))
ANSWERS: Mapping[str, Any] = json.loads((DATA / "answers.json").read_text(encoding="utf-8"))

NOT_LIKE_DBT: Mapping[str, tuple[Any, str]] = {
    "{{ env_var('NOPE') }} password": (
        RecceMetaError,
        "dbt would send the template as the password; the server's answer would not tell why it is wrong",
    ),
}
"""What recce_meta gives instead of dbt's answer, and why."""

MORE_LENIENT: Mapping[str, Mapping[str, Any]] = {
    "threads as text": {"target": "dev", "threads": 8},  # as an env_var without a filter gives them
}
"""Selections that dbt refuses and recce_meta does not, and what it takes them for."""


def test_the_answers_are_those_to_the_cases() -> None:
    asked = [case["template"] if isinstance(case, dict) else case for case in CASES["templates"]]
    release = ".".join(ANSWERS["dbt"].split(".")[:2])

    assert [answer["template"] for answer in ANSWERS["templates"]] == [
        case if isinstance(case, str | int | list | None) else str(case) for case in asked
    ]
    assert set(ANSWERS["selections"]) == {
        case["name"] for case in CASES["selections"] if case.get("since", release) <= release
    }


def test_a_template_renders_as_in_dbt(subtests: pytest.Subtests) -> None:
    assert ANSWERS["templates"]
    for answer in ANSWERS["templates"]:
        name = " ".join([str(answer["template"]), *answer["path"]])
        with subtests.test(name):
            expected = NOT_LIKE_DBT[name][0] if name in NOT_LIKE_DBT else answer.get("value", RecceMetaError)
            renderer = Renderer(CASES["environment"], CASES["vars"])

            if expected is RecceMetaError:
                with pytest.raises(RecceMetaError):
                    renderer.render(answer["template"], tuple(answer["path"]))
            else:
                value = renderer.render(answer["template"], tuple(answer["path"]))
                # JSON has kept dbt's answer: tuples came back as lists
                assert (json.loads(json.dumps(value)), type(value)) == (expected, type(expected))


def laid_out(folder: Path) -> Path:
    for name, text in CASES["files"].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def selected(case: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What is chosen where recce_meta is called in the case's place with its arguments."""
    parser = argparse.ArgumentParser()
    for option in ("--profile", "--target", "--profiles-dir", "--vars"):
        parser.add_argument(option)
    given = parser.parse_args(case.get("arguments", []))
    directory = folder / case.get("directory", ".")
    environment = {"HOME": str(folder / "home"), **case.get("environment", {})}
    loaded = load_profile(
        None if given.profiles_dir is None else directory / given.profiles_dir,
        given.profile,
        given.target,
        project_dir=find_project_dir(directory=directory, environment=environment),
        variables=yaml.safe_load(given.vars or "{}"),
        environment=environment,
        directory=directory,
    )
    warehouse = warehouse_named(loaded.type)
    warehouse.plan(Fields(loaded.fields, aliases=warehouse.aliases))  # as dbt makes the credentials
    return {
        "profile": loaded.name,
        "target": loaded.target,
        "type": loaded.type,
        "threads": loaded.threads,
        "fields": dict(loaded.fields),
    }


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["name"]) for case in CASES["selections"] if "since" not in case]
)
def test_a_profile_is_chosen_as_in_dbt(case: Mapping[str, Any], tmp_path: Path) -> None:
    answer = ANSWERS["selections"][case["name"]]
    laid_out(tmp_path)

    if case["name"] in MORE_LENIENT:
        assert "error" in answer, "dbt no longer refuses this"
        assert selected(case, tmp_path).items() >= MORE_LENIENT[case["name"]].items()
    elif "error" in answer:
        with pytest.raises(RecceMetaError) as caught:
            selected(case, tmp_path)
        assert caught.value.exit_code == 3 or caught.value.exit_code == 2
    else:
        assert selected(case, tmp_path) == answer


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("a dotenv file", {"path": "file.duckdb", "external_root": "single-file"}),
        ("a dotenv file and the environment", {"path": "real.duckdb", "external_root": "single-real"}),
        ("a dotenv file above", {"path": "file.duckdb", "external_root": "single-file"}),
    ],
)
def test_a_dotenv_file_feeds_a_profile_as_in_dbt_1_12(
    name: str, fields: dict[str, str], tmp_path: Path
) -> None:
    (case,) = (case for case in CASES["selections"] if case["name"] == name)

    assert selected(case, laid_out(tmp_path))["fields"] == fields
