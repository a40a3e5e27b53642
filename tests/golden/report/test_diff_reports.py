"""Every directory beside this file is a case: a diff, and how it is told in each format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from recce_meta.models import RunDiff
from recce_meta.report import diff_json, diff_markdown, diff_text

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/input.json"))
SCHEMA_FILE = Path(__file__).parents[3] / "docs" / "schemas" / "diff.v1.json"

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture(scope="session")
def validator() -> Any:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def read_diff(case: Path) -> RunDiff:
    return msgspec.json.decode((case / "input.json").read_bytes(), type=RunDiff)


def test_there_are_cases() -> None:
    assert len(CASES) >= 5


@each_case
def test_a_diff_reads_as_expected_in_a_terminal(
    case: Path, check_golden: Callable[[Path, str], None]
) -> None:
    check_golden(case / "expected.txt", diff_text(read_diff(case), width=100, color=False))


@each_case
def test_a_diff_reads_as_expected_in_a_pull_request(
    case: Path, check_golden: Callable[[Path, str], None]
) -> None:
    check_golden(case / "expected.md", diff_markdown(read_diff(case)))


@each_case
def test_a_diff_reads_as_expected_by_a_program(case: Path, check_golden: Callable[[Path, str], None]) -> None:
    check_golden(case / "expected.json", diff_json(read_diff(case)))


@each_case
def test_the_json_of_a_diff_keeps_to_its_schema(case: Path, validator: Any) -> None:
    validator.validate(json.loads(diff_json(read_diff(case))))


@each_case
def test_a_diff_fits_on_a_screen(case: Path) -> None:
    lines = diff_text(read_diff(case), width=80, color=False).splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 80
