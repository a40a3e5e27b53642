"""The proofs that no other test samples, for a few seconds each, as a person starts them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.dbt_environments import dbt_environment

ROOT = Path(__file__).parents[2]


@pytest.mark.extensive
@pytest.mark.parametrize("name", ["bound", "databases", "queries"])
def test_a_proof_finds_nothing(name: str, postgres_url: str) -> None:
    run(name)


@pytest.mark.extensive
def test_the_core_finds_the_mutants_that_other_tests_find() -> None:
    run("mutants", "recce_meta/graph", "tests/unit/graph")


@pytest.mark.dbt
@pytest.mark.parametrize("name", ["harmless", "kept_rows", "partial_runs", "plans", "previews"])
def test_a_proof_judged_by_dbt_finds_nothing(name: str) -> None:
    run(name, str(Path(dbt_environment("1.11", "duckdb").dbt.argv[0]).with_name("python")))


@pytest.mark.dbt
def test_readers_by_name_and_functions_are_judged_as_dbt_fails(postgres_url: str) -> None:
    run("names", str(Path(dbt_environment("1.11", "postgres").dbt.argv[0]).with_name("python")), postgres_url)


def run(name: str, *arguments: str) -> None:
    command = [sys.executable, "-m", f"tests.proofs.{name}", *arguments, "--seconds", "10"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "0 failed; go on with --seed " in ran.stdout
