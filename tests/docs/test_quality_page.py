"""The pages on quality: the file of metrics is sound, and they tell every key, figure and option."""

from __future__ import annotations

import re
from pathlib import Path

import click

from recce_meta.cli.commands.quality import quality
from recce_meta.models.quality import FIGURES, REGRESSION, read_fail_on
from recce_meta.quality.file import COLUMN, METRIC, TABLE, TOP, read_quality_file

DOCS = Path(__file__).parents[2] / "docs"
PAGE = "\n".join(
    (DOCS / folder / "quality.md").read_text(encoding="utf-8") for folder in ("guides", "reference")
)
SHARED = {"format", "output", "seed", "top_k", "limit", "exclude", "threads", "project"}
"""Options that need no words, or have them in their help."""


def test_the_file_of_metrics_is_sound(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "quality.yml"
    path.write_text(example, encoding="utf-8")
    rules = read_quality_file(path)
    assert [len(table.expectations) for table in rules.tables] == [2, 1] and rules.private


def test_every_key_and_figure_is_told() -> None:
    told = set(re.findall(r"`([a-z_]+)`", PAGE)) | set(re.findall(r"^ *-? *([a-z_]+):", PAGE, re.MULTILINE))
    assert {*FIGURES, REGRESSION, *TABLE, *COLUMN, *METRIC, *TOP} - {"version"} - told == set()


def test_the_conditions_are_conditions() -> None:
    section = PAGE.partition("## Conditions on figures")[2].partition("**A sign")[0]
    conditions = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert len(conditions) > 7 and len(read_fail_on(conditions, ["priced_share"])) == len(conditions)


def test_every_option_is_told_and_every_one_told_is_there() -> None:
    options = [param for param in quality.params if isinstance(param, click.Option) and not param.hidden]
    own = {param.opts[-1] for param in options}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE))
    assert named <= own
    connection = {"--profiles-dir", "--profile", "--project-dir", "--store-schema", "--lock-timeout"}
    quiet = {f"--{name.replace('_', '-')}" for name in SHARED}
    assert own - named - connection - quiet == set()
