"""Runs that commands choose without a selector: in a git repository, in CI, and without either."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator

from recce_meta.adapter import UnifiedSqlAdapter
from tests.e2e.conftest import Cli
from tests.support.once import built_once

pytestmark = [
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
    pytest.mark.core("duckdb"),
]

ROOT = Path(__file__).resolve().parents[2]
STORE = "store.duckdb"
PERSON = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class Checkout:
    """A dbt project in a git repository, with a store; `build` stands for dbt."""

    def __init__(self, cli: Any, root: Path, **settings: str) -> None:
        self.root, self.cli = root, cli.within(root, GIT_CONFIG_NOSYSTEM="1", **settings)
        self.environ = {**self.cli.variables, **PERSON}
        self.builds = 0

    def started(self) -> Checkout:
        """The checkout with a first commit."""
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("select 1 as id")
        return self

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=self.environ, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, sql: str) -> str:
        (self.root / "models" / "orders.sql").write_text(sql)
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", sql)
        return self.git("rev-parse", "HEAD")

    def build(self, environment: str, *options: str, **variables: str) -> str:
        """Record the checkout as a run of *environment*, and return its id."""
        self.builds += 1
        sql = (self.root / "models" / "orders.sql").read_text()
        node = {
            "unique_id": "model.shop.orders",
            "name": "orders",
            "resource_type": "model",
            "package_name": "shop",
            "schema": environment,
            "relation_name": f'"{environment}"."orders"',
            "path": "orders.sql",
            "original_file_path": "models/orders.sql",
            "raw_code": sql,
            "compiled_code": sql,
            "checksum": {"name": "sha256", "checksum": sql},
            "config": {"materialized": "table"},
        }
        header = {
            "project_name": "shop",
            "invocation_id": f"{environment}-{self.builds}",
            "generated_at": datetime.now(timezone.utc).isoformat(),
        }
        (self.root / "target").mkdir(exist_ok=True)
        text = json.dumps({"metadata": header, "nodes": {node["unique_id"]: node}})
        (self.root / "target" / "manifest.json").write_text(text)
        ran = self.cli.within(".", **variables)("record", "-e", environment, *options)
        assert ran.code == 0, ran.err
        return f"{environment}-{self.builds}"

    def runs(self, *arguments: str, **variables: str) -> dict[str, Any]:
        """The choice of runs of a diff."""
        ran = self.cli.within(".", **variables)("diff", *arguments, "--format", "json")
        assert ran.code == 0, ran.err
        document = json.loads(ran.out)
        choice: dict[str, Any] = document["choice"]
        assert document["base"]["run_id"] == choice["base"]["run_id"]
        return choice


def make_project(root: Path) -> None:
    """Write the files of a dbt project that are the same in all commits."""
    (root / "models").mkdir(parents=True)
    (root / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (root / ".gitignore").write_text("target*/\n*.duckdb*\nhome/\nrunner/\n")


@pytest.fixture(params=["duckdb", "postgres"])
def shop(cli: Any, tmp_path: Path, default_file: Path, request: pytest.FixtureRequest) -> Iterator[Checkout]:
    """A clean checkout of `main` with one commit."""
    root = tmp_path / "shop"
    make_project(root)
    if request.param == "duckdb":
        shutil.copy(default_file, tmp_path / STORE)
        yield Checkout(cli, root, RECCE_META_URL=f"duckdb:///{tmp_path / STORE}").started()
        return
    url, schema = request.getfixturevalue("postgres_url"), f"runs_{uuid4().hex[:8]}"
    yield Checkout(cli, root, RECCE_META_URL=url, RECCE_META_SCHEMA=schema).started()
    with UnifiedSqlAdapter.from_url(url) as adapter:
        adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.fixture
def changed(shop: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The branch `feature/x`, recorded, of a production that has moved on since."""
    if "RECCE_META_SCHEMA" in shop.cli.environ:
        return change(shop)
    made = built_once(tmp_path_factory, "changed", lambda folder: _make_changed(folder))
    shutil.rmtree(shop.root)
    shutil.copytree(made / "shop", shop.root)
    shutil.copy(made / STORE, shop.root.parent)
    shop.builds = 3
    return shop


def _make_changed(folder: Path) -> None:
    root = folder / "shop"
    make_project(root)
    change(Checkout(Cli(folder), root, RECCE_META_URL=f"duckdb:///{folder / STORE}").started())


def change(shop: Checkout) -> Checkout:
    """Record a branch of *shop* and two runs of its base."""
    shop.build("base")
    shop.git("checkout", "--quiet", "-b", "feature/x")
    shop.commit("select 2 as id")
    shop.git("checkout", "--quiet", "main")
    shop.commit("select 3 as id")
    shop.build("base")
    shop.git("checkout", "--quiet", "feature/x")
    shop.build("pr-41")
    return shop


def test_a_branch_is_compared_with_the_run_of_its_merge_base(changed: Checkout) -> None:
    start = changed.git("merge-base", "HEAD", "main")[:7]
    choice = changed.runs()

    assert choice == {
        "base": {"run_id": "base-1", "selector": None, "reason": f"merge base {start} of main"},
        "current": {"run_id": "pr-41-3", "selector": None, "reason": "branch feature/x"},
        "notes": [],
    }


def test_every_report_of_a_diff_shows_the_choice(changed: Checkout, subtests: pytest.Subtests) -> None:
    start = changed.git("merge-base", "HEAD", "main")[:7]
    for style in ("table", "markdown", "html"):
        with subtests.test(style):
            diff = changed.cli("diff", "--format", style).out

            assert "base-1" in diff and "pr-41-3" in diff
            assert f"merge base {start} of main" in diff and "branch feature/x" in diff


@pytest.mark.extensive
def test_every_report_of_data_and_checks_shows_the_choice(
    changed: Checkout, subtests: pytest.Subtests
) -> None:
    checks = "checks:\n  - {name: columns, type: schema_diff, params: {node_id: model.shop.orders}}\n"
    (changed.root / "checks.yml").write_text(checks)
    commands = (["schema", "orders", "--stored"], ["check", "run"], ["diff", "--data"])
    for command, style in product(commands, ("table", "markdown", "html", "json")):
        with subtests.test(f"{command[0]} {style}"):
            out = changed.cli(*command, "--format", style).out
            assert "base-1" in out and "pr-41-3" in out, out
            assert "branch feature/x" in out and "merge base " in out
            if command[0] != "diff" or style != "json":
                assert "a later run of base" in out
    junit = changed.root / "target" / "checks.xml"
    changed.cli("check", "run", "--junit", junit)
    assert "branch feature/x" in junit.read_text()


@pytest.mark.extensive
def test_two_explicit_forms_and_a_mixture_are_accepted(changed: Checkout) -> None:
    named = changed.runs("base~1", "pr-41")

    assert (named["base"]["selector"], named["current"]["selector"]) == ("base~1", "pr-41")
    assert changed.runs("--base", "base~1", "--current", "pr-41") == named
    assert changed.runs("base~1", "--current", "pr-41") == named
    assert changed.runs("--current", "pr-41")["base"]["selector"] is None
    assert changed.runs("base~1")["current"]["reason"] == "branch feature/x"


def test_a_side_given_twice_is_an_error(changed: Checkout) -> None:
    for arguments, message in (
        (["base", "--base", "base~1"], "BASE is given twice: 'base' and --base 'base~1'"),
        (["base", "x", "--current", "y"], "CURRENT is given twice: 'x' and --current 'y'"),
    ):
        ran = changed.cli("diff", *arguments)

        assert (ran.code, ran.out) == (2, "")
        assert message in ran.err


def test_the_same_run_on_both_sides_is_an_error(changed: Checkout, subtests: pytest.Subtests) -> None:
    for command in (
        ["diff"],
        ["diff", "--data"],
        ["value", "orders"],
        ["row-count"],
        ["query-diff", "select 1"],
    ):
        with subtests.test(" ".join(command)):
            ran = changed.cli(*command, "--base", "base", "--current", "latest~1")

            assert (ran.code, ran.out) == (2, "")
            assert "same run base-2: --base is 'base', --current is 'latest~1'" in ran.err


@pytest.mark.extensive
def test_a_branch_that_is_not_recorded_is_reported(changed: Checkout) -> None:
    changed.build("current", "--branch", "feature/y")
    changed.git("checkout", "--quiet", "-b", "feature/z")
    choice = changed.runs()

    assert choice["current"]["reason"] == "latest run of current"
    assert choice["notes"] == ["No run of branch feature/z is recorded: current is the latest run of current"]
    assert changed.runs(RECCE_META_ENVIRONMENT="pr-41")["current"]["run_id"] == "pr-41-3"


def test_a_newer_commit_than_the_recorded_one_is_reported(changed: Checkout) -> None:
    changed.commit("select 4 as id")

    assert "is checked out" in changed.runs()["notes"][0]
    assert "is checked out" in changed.cli("diff").out
    # An environment stands for the latest code of the branch, the id of a run for itself.
    label = changed.runs()["current"]["run_id"].rpartition("-")[0]
    assert "\n? Current is of commit" in changed.cli("diff", "base", label).out
    assert "is checked out" not in changed.cli("diff", "base", f"{label}-3").out


def test_a_detached_head_takes_the_branch_of_the_ci_service(changed: Checkout) -> None:
    head, start = changed.git("rev-parse", "HEAD"), changed.git("merge-base", "HEAD", "main")
    changed.git("checkout", "--quiet", "--detach")
    job = {
        "GITLAB_CI": "true",
        "CI_MERGE_REQUEST_IID": "41",
        "CI_COMMIT_SHA": head,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature/x",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": start,
    }
    choice = changed.runs(**job)

    assert choice["current"] == {"run_id": "pr-41-3", "selector": None, "reason": "branch feature/x"}
    assert choice["base"]["run_id"] == "base-1"
    changed.build("current", "--branch", "feature/y")
    assert changed.runs()["current"]["reason"] == "latest run of current"


def test_a_shallow_clone_falls_back_to_the_latest_run_of_base(changed: Checkout) -> None:
    changed.git("checkout", "--quiet", "main")
    changed.git("clone", "--quiet", "--depth=1", "--no-single-branch", "--branch=feature/x",
                f"file://{changed.root}", "runner")  # fmt: skip
    runner = Checkout(changed.cli, changed.root / "runner")
    choice = runner.runs()

    assert (choice["base"]["run_id"], choice["base"]["reason"]) == ("base-2", "latest run of base")
    assert "shallow clone does not contain the merge base with main" in choice["notes"][0]
    assert "git fetch --deepen" in choice["notes"][0] and "fetch-depth: 0" in choice["notes"][0]
    assert runner.cli("check-base").code == 0
    assert "git fetch --deepen" in runner.cli("check-base").out

    runner.git("fetch", "--quiet", "--unshallow")
    assert runner.runs()["base"]["run_id"] == "base-1"


@pytest.mark.extensive
def test_after_a_squash_merge_a_new_branch_starts_there(changed: Checkout) -> None:
    changed.git("checkout", "--quiet", "main")
    changed.git("merge", "--quiet", "--squash", "--strategy-option=theirs", "feature/x")
    changed.git("commit", "--quiet", "--message", "squashed")
    newest = changed.build("base")
    changed.git("checkout", "--quiet", "-b", "feature/y")
    changed.commit("select 5 as id")
    changed.build("pr-42")
    choice = changed.runs()

    assert (choice["base"]["run_id"], choice["current"]["reason"]) == (newest, "branch feature/y")


def test_a_worktree_compares_its_own_branch(changed: Checkout) -> None:
    changed.git("checkout", "--quiet", "main")
    other = changed.root.parent / "other"
    changed.git("worktree", "add", "--quiet", str(other), "feature/x")
    worktree = Checkout(changed.cli, other)

    assert worktree.runs()["current"]["reason"] == "branch feature/x"


def test_outside_a_repository_labels_decide(changed: Checkout, tmp_path: Path) -> None:
    changed.build("current", "--branch", "feature/y")
    (tmp_path / "elsewhere").mkdir()
    ran = changed.cli.within(tmp_path / "elsewhere", GIT_CEILING_DIRECTORIES=str(tmp_path))("diff")

    assert ran.code == 0, ran.err
    assert "latest run of base" in ran.out and "latest run of current" in ran.out


def test_artifacts_on_disk_are_compared_with_the_default_of_the_other_side(changed: Checkout) -> None:
    choice = changed.runs("--current", "path:target")

    assert choice["base"]["run_id"] == "base-1"
    assert choice["current"] == {"run_id": None, "selector": "path:target", "reason": "path:target"}
    assert changed.cli("diff", "path:target", "path:./target").code == 2


@pytest.mark.extensive
def test_commands_that_read_one_run_take_that_of_the_branch(changed: Checkout) -> None:
    changed.build("elsewhere", "--branch", "feature/y")

    shown = changed.cli("show", "--format", "json")
    assert (json.loads(shown.out)["run"]["run_id"], shown.err) == ("pr-41-3", "")
    assert json.loads(changed.cli("show", "latest", "--format", "json").out)["run"]["run_id"] == "elsewhere-4"
    lineage = changed.cli("lineage", "orders")
    assert (lineage.code, lineage.err) == (0, "Run pr-41-3 (branch feature/x)\n")
    assert changed.cli("lineage", "orders", "--run", "base").err == ""
    assert changed.cli("impact", "orders").err == lineage.err
    assert changed.cli("export").err.startswith(lineage.err)
    (changed.root / "target" / "query.sql").write_text("select * from {{ ref('orders') }}")
    assert '"pr-41"."orders"' in changed.cli("render", "target/query.sql").out
    changed.git("checkout", "--quiet", "--detach")
    assert json.loads(changed.cli("show", "--format", "json").out)["run"]["run_id"] == "elsewhere-4"


# check-base


@pytest.mark.extensive
def test_base_is_missing_then_fresh_then_stale(shop: Checkout) -> None:
    missing = shop.cli("check-base")
    assert (missing.code, missing.err) == (1, "")
    assert missing.out.startswith("missing") and "hook --environment base" in missing.out

    shop.build("base")
    fresh = shop.cli("check-base")
    assert (fresh.code, fresh.err) == (0, "")
    assert fresh.out.startswith("fresh  Base is the run of merge base")

    (shop.root / "notes.txt").write_text("of no model")
    shop.git("add", ".")
    shop.git("commit", "--quiet", "--message", "notes")
    assert "No file of the project changed" in shop.cli("check-base").out

    shop.commit("select 2 as id")
    stale = shop.cli("check-base")
    assert (stale.code, stale.err) == (2, "")
    assert "older than merge base" in stale.out and "models/orders.sql" in stale.out
    document = json.loads(shop.cli("check-base", "--format", "json").out)
    assert document["schema"] == "recce_meta/check-base/v1"
    schema = json.loads((ROOT / "docs" / "schemas" / "check-base.v1.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    assert (document["status"], document["changed_files"]) == ("stale", ["models/orders.sql"])
    assert document["merge_base"] == shop.git("rev-parse", "HEAD")

    shop.build("base")
    assert shop.cli("check-base").code == 0


def test_a_base_that_is_newer_than_the_checkout_asks_for_a_merge(changed: Checkout) -> None:
    assert changed.cli("check-base").code == 0
    newer = changed.cli("check-base", "--base", "base")

    assert newer.code == 2
    assert "newer than merge base" in newer.out and "merge or rebase main" in newer.out
    changed.git("merge", "--quiet", "--strategy-option=ours", "--no-edit", "main")
    assert changed.cli("check-base", "--base", "base").code == 0


def test_base_on_disk_and_its_age_are_checked(shop: Checkout) -> None:
    shop.build("base")
    shutil.copytree(shop.root / "target", shop.root / "target-base")

    assert shop.cli("check-base", "--base", "path:target-base").code == 0
    assert shop.cli("check-base", "--base", "path:nowhere").code == 1
    assert shop.cli("check-base", "--base", "path:target-base", "--max-age", "0h").code == 2


def test_what_check_base_cannot_determine_is_a_failure(shop: Checkout, tmp_path: Path) -> None:
    shop.build("base")
    os.makedirs(shop.root / "target-odd")
    (shop.root / "target-odd" / "manifest.json").write_text("{")

    assert shop.cli("check-base", "--base", "path:target-odd").code == 3
    assert shop.cli("check-base", "--base", "sha:").code == 3
    assert shop.cli("check-base", "--url", "duckdb:///no/such/folder/store.duckdb").code == 1
