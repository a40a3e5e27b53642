"""Every case of `data_cases` as each report tells it: a folder for each beside this file."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from recce_meta.models.change import RunDiff
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.report import data_json, data_markdown, data_text, pull_request_markdown

HERE = Path(__file__).parent
SCHEMA_FILE = HERE.parents[3] / "docs" / "schemas" / "data-diff-2.json"


def read_module() -> Any:
    spec = spec_from_file_location("data_cases", HERE / "data_cases.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = read_module()
CASES: dict[str, tuple[AnyDataDiff, ...]] = MADE.CASES
each_case = pytest.mark.parametrize("name", CASES)


@pytest.fixture(scope="session")
def validator() -> Any:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@each_case
def test_results_read_as_expected_in_a_terminal(name: str, check_golden: Callable[[Path, str], None]) -> None:
    check_golden(HERE / name / "expected.txt", data_text(CASES[name], width=100, color=False))


@each_case
def test_results_read_as_expected_by_a_program(name: str, check_golden: Callable[[Path, str], None]) -> None:
    check_golden(HERE / name / "expected.json", data_json(CASES[name]))


@each_case
def test_results_read_as_expected_in_a_pull_request(
    name: str, check_golden: Callable[[Path, str], None]
) -> None:
    check_golden(HERE / name / "expected.md", data_markdown(CASES[name]))


def test_one_comment_tells_of_code_data_and_checks(check_golden: Callable[[Path, str], None]) -> None:
    diff = msgspec.json.decode((HERE.parent / "pull_request" / "input.json").read_bytes(), type=RunDiff)

    comment = pull_request_markdown(diff, MADE.PULL_REQUEST, MADE.CHECKS)

    check_golden(HERE / "pull_request.md", comment)


@each_case
def test_the_json_of_results_keeps_to_its_schema(name: str, validator: Any) -> None:
    validator.validate(json.loads(data_json(CASES[name])))
