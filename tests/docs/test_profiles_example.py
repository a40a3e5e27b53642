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


def uncommented() -> dict[str, Any]:
    """The outputs with the blocks that stand in comments brought to life."""
    text = re.sub(r"(?m)^    # (?=( {2}\w+:| *\w+:$))", "    ", EXAMPLE.read_text(encoding="utf-8"))
    outputs: dict[str, Any] = yaml.safe_load(text)["jaffle_shop"]["outputs"]
    return outputs


@pytest.mark.parametrize("target", ["dev", "prod"])
def test_the_active_blocks_make_a_plan_without_a_warning(target: str, tmp_path: Path) -> None:
    profile = load_profile(EXAMPLE, "jaffle_shop", target, environment={}, directory=tmp_path)
    warehouse = warehouse_named(profile.type)

    plan = warehouse.plan(Fields(profile.fields, aliases=warehouse.aliases))

    assert plan.warnings == ()
    assert plan.database and plan.schema


def test_the_first_block_is_the_default(tmp_path: Path) -> None:
    profile = load_profile(EXAMPLE, "jaffle_shop", environment={}, directory=tmp_path)

    assert (profile.target, profile.type, profile.threads) == ("dev", "duckdb", 4)


def test_every_warehouse_has_a_block() -> None:
    outputs = uncommented()

    assert {output["type"] for output in outputs.values()} == WAREHOUSES
    assert set(available()) <= WAREHOUSES
    assert all(output["threads"] for output in outputs.values())


def test_no_password_is_written_out() -> None:
    for output in uncommented().values():
        for name in ("password", "pass", "token", "private_key_passphrase"):
            assert "env_var('DBT_ENV_SECRET" in output.get(name, "env_var('DBT_ENV_SECRET")
