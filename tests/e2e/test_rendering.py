"""What dbt compiled, rendered again; and the command that renders."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from statistics import median
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "tests" / "data" / "artifacts"
JAFFLE = ARTIFACTS / "generated" / "jaffle_ext_full" / "dbt_1.10"

FLOORS = {
    "models without macros": (590, 563),
    "models with macros": (388, 228),
    "generic tests": (1704, 1671),
    "singular tests": (30, 30),
}
"""How many pairs there are, and how many at least are equal. The rest has reasons, below."""

EXPLAINED = (
    "variable not in the artifacts",
    "differs; a variable's default was taken",
    "needs the database",
    "differs in quotes: dbt compiled another relation",
    "'graph' is known to a running dbt only",
    "'target.name' is not known",
    "'ref' is a function here, and has no 'config'",  # elementary asks dbt's own classes
    "Unknown name 'get_where_subquery'",  # manifests that were published without their macros
    "Unknown name 'test_",
    "Unknown name 'dbt_expectations'",
    "Unknown name 'base'",  # dbt writes nothing for a name that nobody has
    "No model, seed or snapshot is called 'stg_",  # manifests that were published without some nodes
)
"""Every reason for which a pair may not be equal."""

EDITED = "openlineage/env_vars"
"""A manifest that was changed by hand: its compiled code names other relations than its sources."""


def load_benchmark() -> Any:
    """benchmarks/rendering.py, which is no part of the package."""
    spec = spec_from_file_location("benchmark_of_rendering", ROOT / "benchmarks" / "rendering.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tallies() -> dict[str, Any]:
    found: dict[str, Any] = load_benchmark().measure([ARTIFACTS])
    return found


@pytest.mark.parametrize("sort", FLOORS)
def test_what_dbt_compiled_is_rendered_alike(tallies: dict[str, Any], sort: str) -> None:
    total, equal = FLOORS[sort]

    assert tallies[sort].total == total
    assert tallies[sort].equal >= equal


def test_every_pair_that_is_not_equal_has_a_known_reason(tallies: dict[str, Any]) -> None:
    unexplained = {
        f"{reason}: {example}"
        for tally in tallies.values()
        for reason, example in tally.examples.items()
        if reason != "equal" and not reason.startswith(EXPLAINED) and EDITED not in example
    }

    assert unexplained == set()


def test_a_template_takes_about_a_millisecond(tallies: dict[str, Any]) -> None:
    seconds = [value for tally in tallies.values() for value in tally.seconds]

    assert median(seconds) < 0.005, "measured: half a millisecond on an idle machine"


def test_a_file_is_rendered_with_the_artifacts_of_a_run(cli: Any, tmp_path: Path) -> None:
    template = tmp_path / "question.sql"
    template.write_text("select *\nfrom {{ ref('stg_orders') }}\nwhere d > '{{ var('day', 'x') }}'\n")

    ran = cli("render", template, "--run", f"path:{JAFFLE}")

    assert ran.code == 0, ran.err
    assert ran.out == 'select *\nfrom "jaffle_ext"."main"."stg_orders"\nwhere d > \'x\'\n'
    assert ran.err == ("warning: took the template's own default for the variables day; --vars sets them\n")


def test_the_file_of_a_node_is_rendered_as_that_node(cli: Any, tmp_path: Path) -> None:
    file = tmp_path / "models/extra/inc_events.sql"
    file.parent.mkdir(parents=True)
    file.write_text("{{ this }}{% if is_incremental() %} again{% endif %}")
    run = f"path:{JAFFLE}"

    own = cli("render", file, "--run", run, "--incremental")
    named = cli(
        "render",
        "-",
        "--run",
        run,
        "--node",
        "customers",
        "--vars",
        "{a: 5}",
        input="{{ this }}{{ var('a') }}",
    )

    assert own.out.strip() == '"jaffle_ext"."main"."inc_events" again', own.err
    assert named.out.strip() == '"jaffle_ext"."main"."customers"5', named.err


def test_an_error_in_a_template_is_one_message(cli: Any) -> None:
    ran = cli("render", "-", "--run", f"path:{JAFFLE}", input="\n  {{ ref('stg_order') }}")

    assert (ran.code, ran.out) == (3, "")
    assert ran.err.splitlines()[0] == (
        "error: line 2, column 11: No model, seed or snapshot is called 'stg_order'"
    )
    assert ran.err.splitlines()[1].startswith("hint: did you mean 'stg_orders'")


def test_variables_that_are_no_mapping_are_wrong_usage(cli: Any) -> None:
    for text in ("[1]", "{a: "):
        ran = cli("render", "-", "--run", f"path:{JAFFLE}", "--vars", text, input="x")

        assert (ran.code, "--vars" in ran.err) == (2, True)


def test_a_recorded_run_renders_as_its_artifacts_do(cli: Any, tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'store.duckdb'}"
    assert cli("record", "--url", url, "--target-path", JAFFLE, "--environment", "base").code == 0
    template = "{{ cents_to_dollars('amount') }} {{ dbt.type_string() }} {{ source('ecom', 'events') }}"

    stored = cli("render", "-", "--url", url, "--run", "base", input=template)
    on_disk = cli("render", "-", "--run", f"path:{JAFFLE}", input=template)

    assert stored.code == on_disk.code == 0, stored.err
    assert stored.out == on_disk.out
