"""The pages on checks have sound examples and every status; the one on YAML has all that a file can have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recce_meta.checks.file import FIELDS, read_check_file
from recce_meta.checks.types import COLUMN_STATUSES, LINEAGE_ALLOWANCES, TYPES, VALUE_ALLOWANCES
from recce_meta.models.checks import FIGURES, CheckStatus, DataCheck

DOCS = Path(__file__).parents[2] / "docs"
PAGE = "\n".join(
    (DOCS / folder / "checks.md").read_text(encoding="utf-8") for folder in ("guides", "reference")
)
REFERENCE = (DOCS / "reference" / "yaml.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_sound(example: str, tmp_path: Path) -> None:
    path = tmp_path / "checks.yml"
    path.write_text(example, encoding="utf-8")

    checks = read_check_file(path)

    assert checks
    assert [check for check in checks if not isinstance(check, DataCheck)] == []


@pytest.mark.parametrize("type_name", TYPES)
def test_every_type_has_a_heading(type_name: str) -> None:
    assert re.search(rf"^### .*`{type_name}`", REFERENCE, re.MULTILINE)
    assert f"[`{type_name}`](../reference/yaml.md#{type_name})" in PAGE


def test_every_field_parameter_threshold_and_word_is_told() -> None:
    names = {name for kind in TYPES.values() for name in (*kind.fields, *kind.thresholds)}
    words = {*VALUE_ALLOWANCES, *COLUMN_STATUSES, *LINEAGE_ALLOWANCES, *FIGURES, *FIELDS}
    told = set(re.findall(r"`([a-z_]+)`", REFERENCE))

    assert (names | words) - told == set()
    assert {str(status) for status in CheckStatus} - set(re.findall(r"`([a-z_]+)`", PAGE)) == set()
