"""What dbt compiled, rendered again; and the command that renders."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from shutil import copyfile, copytree
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta import SimpleTemplateRenderer, extract_project
from recce_meta.errors import TemplateError
from recce_meta.render import Limits

pytestmark = pytest.mark.extensive

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "tests" / "data" / "artifacts"
JAFFLE = ARTIFACTS / "generated" / "jaffle_ext_full" / "dbt_1.10"

FLOORS = {
    "models without macros": (590, 584),
    "models with macros": (388, 363),
    "generic tests": (1704, 1671),
    "singular tests": (30, 30),
}
"""How many pairs there are, and how many at least are equal. The rest has reasons, below."""

EXPLAINED = (
    "variable not in the artifacts",
    "differs; a variable's default was taken",
    "needs the database",
    "differs in quotes: dbt compiled another relation",
    "'target.name' is not known",
    "'ref' is a function and has no attribute 'config'",  # elementary asks dbt's own classes
    "Unknown name 'get_where_subquery'",  # manifests that were published without their macros
    "Unknown name 'test_",
    "Unknown name 'dbt_expectations'",
    "Unknown name 'base'",  # dbt writes nothing for a name that nobody has
    "Model, seed or snapshot 'stg_",  # manifests that were published without some nodes
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
    """With nothing that dbt compiled: what is inferred of variables comes from settings and parents alone."""
    found: dict[str, Any] = load_benchmark().measure([ARTIFACTS], is_seeing=False)
    return found


@pytest.mark.extensive
@pytest.mark.parametrize("sort", FLOORS)
def test_what_dbt_compiled_is_rendered_alike(tallies: dict[str, Any], sort: str) -> None:
    total, equal = FLOORS[sort]

    assert tallies[sort].total == total
    assert tallies[sort].equal >= equal


@pytest.mark.extensive
def test_every_pair_that_is_not_equal_has_a_known_reason(tallies: dict[str, Any]) -> None:
    unexplained = {
        f"{reason}: {example}"
        for tally in tallies.values()
        for reason, example in tally.examples.items()
        if reason != "equal" and not reason.startswith(EXPLAINED) and EDITED not in example
    }

    assert unexplained == set()


@pytest.mark.parametrize("package", ["hubspot", "jira"])
def test_what_dbt_compiled_of_a_node_has_no_part_in_rendering_it(package: str) -> None:
    project = extract_project(ARTIFACTS / "real/fivetran" / package, hash_seed_files=False)
    asked = [
        node for node in project.nodes if node.resource_type == "model" and "var(" in (node.raw_code or "")
    ]
    given = {"macros": project.macros, "run": project.run, "limits": Limits(seconds=60)}
    seeing = SimpleTemplateRenderer(None, project.nodes, **given)

    for node in asked[::6]:
        others = [
            replace(node, compiled_code="nonsense") if other is node else other for other in project.nodes
        ]
        blind = SimpleTemplateRenderer(None, others, **given)
        assert text_or_problem(seeing, node.unique_id) == text_or_problem(blind, node.unique_id)
        assert seeing.inferred_variables == blind.inferred_variables


def text_or_problem(renderer: SimpleTemplateRenderer, unique_id: str) -> str:
    try:
        return renderer.render_node(unique_id)
    except TemplateError as error:
        return error.problem


def test_variables_are_learned_from_the_settings_of_sources(cli: Any) -> None:
    ran = cli(
        "render",
        "-",
        "--run",
        f"path:{ARTIFACTS / 'real/fivetran/jira'}",
        "--node",
        "jira__user_enhanced",
        input="select '{{ var('jira_schema', 'jira') }}'",
    )

    assert ran.out == "select 'public'\n", ran.err
    assert ran.err.startswith(
        "warning: variable 'jira_schema' was inferred to be 'public' from 'unrendered_schema' of"
    )


@pytest.fixture
def jaffle_project(tmp_path: Path) -> Path:
    """The project of the jaffle artifacts, with them in its target folder."""
    folder = tmp_path / "project"
    copytree(JAFFLE, folder / "target")
    copyfile(ARTIFACTS / "generated/jaffle_ext_project/dbt_project.yml", folder / "dbt_project.yml")
    return folder


CUTOFF = "{{ var('cutoff') }}"


def test_variables_are_those_of_the_project_that_the_artifacts_lie_in(cli: Any, jaffle_project: Path) -> None:
    run = f"path:{jaffle_project / 'target'}"

    assert cli("render", "-", "--run", run, input=CUTOFF).out == "2018-01-01\n"
    assert cli("render", "-", "--run", run, "--vars", "{cutoff: 1}", input=CUTOFF).out == "1\n"


def test_the_project_may_be_named(cli: Any, jaffle_project: Path, tmp_path: Path) -> None:
    run = f"path:{JAFFLE}"
    other = tmp_path / "other"
    other.mkdir()
    (other / "dbt_project.yml").write_text("name: other\nvars: {cutoff: 2}\n", encoding="utf-8")

    named = cli("render", "-", "--run", run, "--project-dir", jaffle_project, input=CUTOFF)
    wrong = cli("render", "-", "--run", run, "--project-dir", other, input=CUTOFF)
    without = cli("render", "-", "--run", run, input=CUTOFF)

    assert (named.code, named.out, named.err) == (0, "2018-01-01\n", "")
    assert (wrong.code, wrong.out) == (3, "")
    assert "is project 'other', but the run is of project 'jaffle_ext'" in wrong.err
    assert without.out == "2018-01-01\n"
    assert without.err == (
        "warning: variable 'cutoff' was inferred to be '2018-01-01' from the compiled code of "
        "model.jaffle_ext.uses_ephemeral; set it with --vars\n"
    )


def test_a_stored_run_takes_variables_of_the_project_at_hand_and_says_so(cli: Any, tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'store.duckdb'}"
    assert cli("record", "--url", url, "--target-path", JAFFLE, "--environment", "base").code == 0
    at_hand = cli.folder / "dbt_project.yml"
    copyfile(ARTIFACTS / "generated/jaffle_ext_project/dbt_project.yml", at_hand)

    ran = cli("render", "-", "--url", url, "--run", "base", input=CUTOFF)

    assert ran.out == "2018-01-01\n", ran.err
    assert ran.err == (
        f"warning: read cutoff from the current {at_hand}, which may have changed since the run\n"
    )


def test_a_file_is_rendered_with_the_artifacts_of_a_run(cli: Any, tmp_path: Path) -> None:
    template = tmp_path / "question.sql"
    template.write_text("select *\nfrom {{ ref('stg_orders') }}\nwhere d > '{{ var('day', 'x') }}'\n")

    ran = cli("render", template, "--run", f"path:{JAFFLE}")

    assert ran.code == 0, ran.err
    assert ran.out == 'select *\nfrom "jaffle_ext"."main"."stg_orders"\nwhere d > \'x\'\n'
    assert ran.err == ("warning: used the template's defaults for the variables day; set them with --vars\n")


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
        "error: line 2, column 11: Model, seed or snapshot 'stg_order' not found"
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
