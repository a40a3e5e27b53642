"""`check run` as a CI job calls it: verdicts, files, exit codes, and checks that cannot run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from mcp import Client

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.mcp.questions import AgentSettings
from recce_meta.mcp.server import create_server
from recce_meta.mcp.stores import AgentStore

GOOD = """
  - name: Orders keep their rows
    type: row_count_diff
    params: {node_names: [orders]}
    expect: {row_count_change: 50%}
  - name: No column disappears
    type: schema_diff
    params: {select: orders plain}
    expect: {allow: [added]}
  - name: A query
    type: query_diff
    params: {sql_template: "select count(*) as n from {{ ref('plain') }}"}
    expect: equal
  - name: Profile
    type: profile_diff
    params: {model: orders}
  - name: Top
    type: top_k_diff
    params: {model: orders, column_name: v}
  - name: Histogram
    type: histogram_diff
    params: {model: orders, column_name: id}
  - name: What changed
    type: lineage_diff
"""

CHANGED = """
  - name: Values stay
    type: value_diff
    params: {model: orders}
    expect: {max_mismatch: 10%}
"""

BROKEN = {
    "Unknown field": ("type: value_diff\n    parms: {model: orders}", "unknown field 'parms' in check"),
    "Unknown type": ("type: valu_diff", "unknown type 'valu_diff'"),
    "Unknown parameter": (
        "type: value_diff\n    params: {model: orders, key: id}",
        "'key'",
    ),
    "No such model": ("type: value_diff\n    params: {model: ordres}", "Node 'ordres' not found"),
    "Never built": ("type: value_diff\n    params: {model: gone}", "gone in base not found: "),
    "Missing key": (
        "type: value_diff\n    params: {model: orders, primary_key: nope}",
        "Unknown key column 'nope' in base of orders",
    ),
    "Broken template": (
        "type: query_diff\n    params: {sql_template: \"select\\n{{ nope }} from {{ ref('orders') }}\"}",
        "line 2, column 4: Unknown name 'nope' (in the base run)",
    ),
    "Several statements": (
        "type: query\n    params: {sql_template: select 1; select 2}",
        "The SQL contains several statements",
    ),
    "Missing column": (
        "type: top_k_diff\n    params: {model: orders, column_name: nope}",
        "Unknown column 'nope'",
    ),
}
"""Checks that cannot run, by name: what follows the name in the file, and what is said."""

ON_DISK = ("--base", "path:base", "--current", "path:current")


@pytest.fixture
def shop(shop: Any) -> Any:
    """`orders`, of which one row changed and one was added, `plain`, which is the same, and `gone`."""
    shop.build("orders", "SELECT 1 AS id, 'a' AS v UNION ALL SELECT 2, 'b'", None)
    shop.build("orders", None, "SELECT 1 AS id, 'a' AS v UNION ALL SELECT 2, 'c' UNION ALL SELECT 3, 'd'")
    shop.build("plain", "SELECT 1 AS id", "SELECT 1 AS id")
    shop.write("orders", "plain", "gone", key="id", orders={"sql": "select 2"}, gone={"sql": "select 3"})
    return shop


def run(shop: Any, checks: str, *arguments: str | Path, name: str = "checks.yml") -> Any:
    """`check run` of a file that holds *checks*."""
    (shop.cli.folder / name).write_text(f"checks:\n{checks}", encoding="utf-8")
    return shop.cli("check", "run", *ON_DISK, *arguments)


def test_checks_that_hold_exit_with_0(shop: Any) -> None:
    ran = run(shop, GOOD)

    assert (ran.code, ran.err) == (0, "")
    assert "7 checks: 4 differ, 3 passed" in ran.out


@pytest.mark.parametrize(
    "params",
    [
        "profile_diff\n    params: {model: orders, columns: [v]",
        "top_k_diff\n    params: {model: orders, column_name: v",
        "histogram_diff\n    params: {model: orders, column_name: id",
    ],
    ids=lambda params: str(params).split("_diff")[0],
)
def test_a_condition_limits_the_rows_of_figures(shop: Any, params: str) -> None:
    """Only the row that is equal in base and current remains."""
    ran = run(shop, f"  - name: First\n    type: {params}, where: id = 1}}\n    expect: equal\n")
    every = run(shop, f"  - name: First\n    type: {params}}}\n    expect: equal\n")

    assert (ran.code, every.code) == (0, 1), ran.out + every.out


@pytest.mark.extensive
def test_results_are_stored_where_history_is_a_query(shop: Any) -> None:
    (shop.cli.folder / "checks.yml").write_text(f"checks:\n{GOOD}{CHANGED}", encoding="utf-8")
    refused = run(shop, GOOD, "--save")
    assert refused.code == 2 and refused.err.startswith("error: --save requires a recorded run")

    shop.record()
    ran = shop.cli("check", "run", "--save", "-o", "checks.txt")
    assert (ran.code, ran.err) == (0, "Saved 7 check results\n")
    with_diff = shop.cli("diff", "--checks", "checks.yml", "--save", "-o", "diff.txt")
    assert "Saved 7 check results" in with_diff.err


@pytest.mark.with_store
@pytest.mark.parametrize(
    "more", [("--data",), *(pytest.param(one, marks=pytest.mark.extensive) for one in ((), ("--details",)))]
)
def test_every_report_of_a_diff_has_the_verdict_of_stored_checks(shop: Any, more: tuple[str, ...]) -> None:
    shop.record()
    wrong = "  - name: No model\n    type: value_diff\n    params: {model: ordres}\n"
    (shop.cli.folder / "checks.yml").write_text(f"checks:\n{GOOD}{wrong}", encoding="utf-8")
    before = [shop.cli("diff", "--format", style).out for style in ("table", "markdown", "html", "json")]
    assert "none yet" in before[2] and not any("8 checks" in text for text in before)
    assert shop.cli("check", "run", "--save", "-o", "checks.txt").code == 2

    text, comment, page, document = (
        shop.cli("diff", "--format", style, *more).out for style in ("table", "markdown", "html", "json")
    )
    assert "1 of 8 checks in error" in text
    assert comment.splitlines()[1].startswith("### \N{CROSS MARK} ")
    assert "1 of 8 checks in error" in comment.splitlines()[1]
    assert "1 of 8 in error" in page and "none yet" not in page
    verdict = json.loads(document)["verdict"]
    assert verdict["tone"] == "failed"
    assert "1 of 8 checks in error" in " ".join(verdict["sentences"])


@pytest.mark.extensive
@pytest.mark.with_store
def test_an_agent_reads_the_verdict_of_the_reports(shop: Any) -> None:
    shop.record()
    (shop.cli.folder / "checks.yml").write_text(f"checks:\n{GOOD}{CHANGED}", encoding="utf-8")
    assert shop.cli("check", "run", "--save", "-o", "checks.txt").code == 1
    shop.cli("row-count", "orders", "--save")
    sentences = json.loads(shop.cli("diff", "--format", "json").out)["verdict"]["sentences"]
    assert any("1 of 8 checks failed" in one for one in sentences)

    async def verdicts() -> set[str]:
        async with Client(server) as client:
            tools = ("what_changed", "impact", "review_summary", "plan")
            answers = [(await client.call_tool(tool, {})).content[0].text for tool in tools]
        return {json.loads(one)["verdict"].casefold() for one in answers}

    with UnifiedSqlAdapter.from_url(shop.url, may_create=False) as adapter:
        store = AgentStore(lambda: adapter.at(shop.cli.environ["RECCE_META_SCHEMA"]))
        server = create_server(store, AgentSettings(project_dir=shop.cli.folder))
        (said,) = asyncio.run(verdicts())
        store.close()
    assert all(one.casefold() in said for one in sentences)
    assert "data differs" in said


@pytest.mark.with_store
def test_a_selection_has_the_checks_of_its_nodes(shop: Any) -> None:
    shop.sql("INSERT INTO {current}.plain VALUES (2)")
    shop.record()
    (shop.cli.folder / "checks.yml").write_text(
        "checks:\n"
        "  - name: Grows\n    type: row_count_diff\n    params: {node_names: [plain]}\n"
        "    expect: {row_count_change: 2%}\n",
        encoding="utf-8",
    )
    assert shop.cli("check", "run", "--save", "-o", "checks.txt").code == 1

    def tone(*arguments: str) -> str:
        return str(json.loads(shop.cli("diff", "--format", "json", *arguments).out)["verdict"]["tone"])

    # `plain` is equal, and its check is that of a selected node all the same.
    assert tone("--select", "plain") == "failed"
    assert "1 check" in shop.cli("diff", "--select", "plain").out
    for other in (("--select", "orders"), ("--exclude", "plain")):
        assert "check failed" not in shop.cli("diff", *other).out


def test_a_threshold_that_does_not_hold_exits_with_1(shop: Any) -> None:
    ran = run(shop, GOOD + CHANGED)

    assert (ran.code, ran.err) == (1, "error: 1 of 8 checks did not pass\n")
    assert "failed   Values stay" in ran.out
    assert "1 of 2 common rows (50%) changed (v 1), at most 10% allowed" in ran.out


def test_what_cannot_run_is_one_error_each_and_the_others_go_on(shop: Any) -> None:
    broken = "".join(f"  - name: {name}\n    {rest}\n" for name, (rest, _) in BROKEN.items())

    ran = run(shop, broken + GOOD, "--json", "checks.json")

    of = f"4 of {len(BROKEN) + 7} checks"
    assert (ran.code, ran.err) == (2, f"error: {of} could not be run: correct checks.yml\n")
    assert "Traceback" not in ran.out
    said = json.loads((shop.cli.folder / "checks.json").read_text("utf-8"))
    by_name = {check["name"]: check for check in said["checks"]}
    for name, (_, message) in BROKEN.items():
        assert (by_name[name]["status"], message in by_name[name]["message"]) == ("error", True), by_name[
            name
        ]
    assert said["counts"] == {"passed": 7, "failed": 0, "error": len(BROKEN), "skipped": 0}


def test_an_optional_check_that_cannot_run_is_skipped(shop: Any) -> None:
    ran = run(shop, "  - {name: x, type: value_diff, optional: true, params: {model: gone}}\n")

    assert (ran.code, ran.err) == (0, "")
    assert "skipped  x" in ran.out


def test_files_are_written_whatever_the_verdict(shop: Any) -> None:
    ran = run(shop, GOOD + CHANGED, "--junit", "j.xml", "--json", "j.json", "-o", "j.txt")

    assert (ran.code, ran.out) == (1, "")
    suite = ElementTree.parse(shop.cli.folder / "j.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("8", "1", "0")
    assert json.loads((shop.cli.folder / "j.json").read_text("utf-8"))["is_passed"] is False
    assert "failed   Values stay" in (shop.cli.folder / "j.txt").read_text("utf-8")


@pytest.mark.parametrize("style", ["json", "markdown", "html"])
def test_every_format_tells_the_verdict(shop: Any, style: str) -> None:
    ran = run(shop, CHANGED, "--format", style)

    assert ran.code == 1 and "Values stay" in ran.out


def test_recces_file_is_found_and_read_as_it_is(shop: Any) -> None:
    ran = run(
        shop,
        "  - name: Rows\n    type: row_count_diff\n    params: {select: plain}\n"
        "  - name: Query\n    type: query_diff\n    params:\n      primary_keys: [id]\n"
        "      sql_template: |-\n        SELECT * FROM {{ ref('orders') }};\n",
        name="recce.yml",
    )

    assert (ran.code, ran.err) == (0, "")
    assert "2 checks: 1 differs, 1 without a difference" in ran.out


@pytest.mark.extensive
def test_checks_are_of_recorded_runs_by_default(shop: Any) -> None:
    shop.record()
    (shop.cli.folder / "checks.yml").write_text(f"checks:\n{GOOD}", encoding="utf-8")

    ran = shop.cli("check", "run")

    assert (ran.code, ran.err) == (0, "")


@pytest.mark.cases(5)
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run"], 2, "error: No checks file found in this directory\nhint: pass a path or create checks.yml"),
        (["run", "nope.yml"], 3, "error: Cannot read nope.yml: No such file or directory"),
        (["run", "typo.yml"], 3, "error: typo.yml has no list 'checks:'\nhint: is it 'cheks'?"),
        (["run", "deep.yml"], 3, "error: deep.yml:1 is nested more than 50 levels deep"),
        (["run", "typo.yml", "--tables", "a", "b"], 3, "error: typo.yml has no list"),
        (["run", "none.yml", "--tables", "a", "b"], 2, "error: Checks cannot be combined with --tables"),
        (["run", "none.yml"], 3, "error: No store found in schema"),
        (["rum"], 2, "error: No such command 'rum'"),
    ],
)
def test_wrong_use_is_told_in_one_message(shop: Any, arguments: list[str], code: int, says: str) -> None:
    for name, text in {"typo": "cheks: []", "deep": "checks: " + "[" * 200_000, "none": "checks: []"}.items():
        (shop.cli.folder / f"{name}.yml").write_text(text, encoding="utf-8")

    ran = shop.cli("check", *arguments)

    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(says)


def test_without_a_subcommand_the_help_is_shown(shop: Any) -> None:
    ran = shop.cli("check")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Usage: recce-meta check")


def test_no_checks_are_no_failure(shop: Any) -> None:
    ran = run(shop, "")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("\n\nNo checks in checks.yml\n")


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("lineage_diff", "{node_names: [nope]}", "nope"),
        ("lineage_diff", "{select: nope}", "matches no node"),
        ("row_count_diff", "{select: nope}", "matches no node"),
        ("schema_diff", "{select: nope}", "matches no node"),
    ],
)
def test_a_check_of_nodes_that_no_run_has_is_an_error(
    shop: Any, kind: str, params: str, message: str
) -> None:
    ran = run(shop, f"\n  - {{name: typo, type: {kind}, params: {params}, expect: equal}}\n")

    assert ran.code == 2
    assert "\n  error" in ran.out and message in ran.out
    assert "package:" not in ran.out and "--allow-empty" not in ran.out


def test_a_selection_by_state_may_be_empty(shop: Any) -> None:
    check = "{name: state, type: row_count_diff, params: {select: 'state:new,orders'}, expect: equal}"
    ran = run(shop, f"\n  - {check}\n")

    assert ran.code == 0, ran.out
    assert "no node is selected" in ran.out
