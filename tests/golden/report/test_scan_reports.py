"""Every `scan_reports/NAME.json` is the answer of a scan, and beside it how that is told in each format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from recce_meta.models.change import ScanReport
from recce_meta.report import scan_json, scan_markdown, scan_text

CASES = sorted((Path(__file__).parent / "scan_reports").glob("*.json"))
SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)


def read_report(case: Path) -> ScanReport:
    return msgspec.json.decode(case.read_bytes(), type=ScanReport)


@each_case
def test_a_scan_reads_as_expected(case: Path, check_golden: Callable[[Path, str], None]) -> None:
    report = read_report(case)

    check_golden(case.with_suffix(".txt"), scan_text(report, width=100, color=False))
    check_golden(case.with_suffix(".md"), scan_markdown(report))


@each_case
def test_the_json_of_a_scan_keeps_to_its_schema(case: Path) -> None:
    document = json.loads(scan_json(read_report(case)))

    _validator("scan.v1.json").validate(document)
    if document["diff"] is not None:
        _validator("diff.v1.json").validate(document["diff"])


def _validator(name: str) -> Any:
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@each_case
def test_a_scan_fits_on_a_screen(case: Path) -> None:
    lines = scan_text(read_report(case), width=80, color=False).splitlines()

    assert len(lines) <= 45
    assert max(map(len, lines)) <= 80
