"""profiles.example.yml is what it claims: readable, complete, and right about each warehouse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from recce_meta.profiles import load_profile
from recce_meta.warehouses import Fields, available, warehouse_named

EXAMPLE = Path(__file__).parents[2] / "profiles.example.yml"
WAREHOUSES = {"duckdb", "postgres", "snowflake", "bigquery", "redshift", "databricks"}
TEXT = EXAMPLE.read_text(encoding="utf-8")
OUTPUTS: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["jaffle_shop"]["outputs"]
ENVIRONMENT = dict.fromkeys(re.findall(r"env_var\('(\w+)'\)", TEXT), "given")


@pytest.mark.parametrize("target", OUTPUTS)
def test_every_block_makes_a_plan_without_a_warning(target: str, tmp_path: Path) -> None:
    profile = load_profile(EXAMPLE, "jaffle_shop", target, environment=ENVIRONMENT, directory=tmp_path)
    warehouse = warehouse_named(profile.type)

    plan = warehouse.plan(Fields(profile.fields, aliases=warehouse.aliases))

    assert plan.warnings == ()
    assert plan.database and plan.schema
    assert profile.threads > 1


def test_the_first_block_is_the_default(tmp_path: Path) -> None:
    profile = load_profile(EXAMPLE, "jaffle_shop", environment={}, directory=tmp_path)

    assert (profile.target, profile.type, profile.threads) == ("dev", "duckdb", 4)


def test_every_warehouse_has_a_block() -> None:
    assert {output["type"] for output in OUTPUTS.values()} == WAREHOUSES == set(available())


def test_no_password_is_written_out() -> None:
    for output in OUTPUTS.values():
        for name in ("password", "pass", "token", "private_key_passphrase"):
            assert "env_var('DBT_ENV_SECRET" in output.get(name, "env_var('DBT_ENV_SECRET")
