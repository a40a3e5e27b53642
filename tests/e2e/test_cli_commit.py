"""Artifacts that come into a checkout in different ways, and the commit that they are recorded with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from recce_meta import UnifiedSqlAdapter, extract_project, list_runs, record_run

pytestmark = pytest.mark.extensive

LONG_AGO, JUST_NOW = "2026-01-01T10:00:00Z", "2026-01-01T12:00:00Z"
"""Times of builds: the checkout of every test is of between them."""
CHECKED_OUT = datetime(2026, 1, 1, 11, tzinfo=timezone.utc).timestamp()
DBT = """
import datetime, json, sys
target, materialized = sys.argv[1:]
path = "target/manifest.json"
text = open("template.txt").read().replace("TARGET", target)
manifest = json.loads(text.replace("MATERIALIZED", materialized))
manifest["metadata"]["generated_at"] = datetime.datetime.now(datetime.timezone.utc).isoformat()
open(path, "w").write(json.dumps(manifest))
"""


def manifest(target: str, materialized: str, built_at: str) -> str:
    """A project of one model, whose configuration in a properties file dbt has rendered."""
    orders = {
        "name": "orders",
        "resource_type": "model",
        "package_name": "shop",
        "database": "db",
        "schema": target,
        "raw_code": "select 1",
        "checksum": {"name": "sha256", "checksum": "c"},
        "config": {"materialized": materialized},
        "unrendered_config": {},
    }
    header = {"project_name": "shop", "invocation_id": f"run-{target}", "generated_at": built_at}
    return json.dumps({"metadata": header, "nodes": {"model.shop.orders": orders}})


@pytest.fixture
def shop(cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clean checkout of a commit of 11 o'clock."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (root / "dbt.py").write_text(DBT)
    (root / "template.txt").write_text(manifest("TARGET", "MATERIALIZED", ""))
    moment = f"@{int(CHECKED_OUT)} +0000"
    environ = {
        **{name: text for name, text in os.environ.items() if not name.startswith(("GIT", "CI"))},
        **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        **{f"GIT_{who}_DATE": moment for who in ("AUTHOR", "COMMITTER")},
    }
    for arguments in (["init", "-q"], ["add", "--all"], ["commit", "-qm", "first"]):
        subprocess.run(["git", *arguments], cwd=root, env=environ, check=True)
    monkeypatch.setattr("recce_meta.extractors.commit_proof._is_before", is_before)
    return cli.within(root, RECCE_META_URL="duckdb:///../store.duckdb")


def is_before(path: Path, moment: datetime) -> bool:
    """Files of the fixture are of 11 o'clock, which their file system cannot be made to say."""
    return moment.timestamp() > CHECKED_OUT


def put(shop: Any, folder: str, *manifest_of: str) -> Path:
    path = shop.folder / folder
    path.mkdir(exist_ok=True)
    (path / "manifest.json").write_text(manifest(*manifest_of))
    return path


def proven(shop: Any) -> dict[str, bool | None]:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{shop.folder.parent / 'store.duckdb'}") as adapter:
        return {run.environment: run.git_proven for run in list_runs(adapter)}


def reasons(shop: Any, base: str = "base", current: str = "ci") -> dict[str, list[str]]:
    ran = shop("diff", base, current, "--format", "json")
    assert ran.code == 0, ran.err
    document = json.loads(ran.out)
    return {change["unique_id"]: change["reasons"] for change in document["changes"]}


def test_target_folders_of_production_and_of_a_pull_request_recorded_in_one_checkout(shop: Any) -> None:
    put(shop, "target-base", "prod", "view", LONG_AGO)
    put(shop, "target", "ci", "table", JUST_NOW)
    for environment, folder in (("base", "target-base"), ("ci", "target")):
        assert shop("record", "-e", environment, "--target-path", folder).code == 0

    assert proven(shop) == {"base": False, "ci": True}
    assert "config" in reasons(shop)["model.shop.orders"]
    assert "config" in reasons(shop, "path:target-base", "path:target")["model.shop.orders"]


def test_both_targets_built_after_the_checkout(shop: Any) -> None:
    put(shop, "target-base", "prod", "view", "2026-01-01T11:30:00Z")
    put(shop, "target", "ci", "table", JUST_NOW)
    for environment, folder in (("base", "target-base"), ("ci", "target")):
        assert shop("record", "-e", environment, "--target-path", folder).code == 0

    assert proven(shop) == {"base": True, "ci": True}
    assert reasons(shop) == {"model.shop.orders": ["environment"]}
    assert "config" in reasons(shop, "path:target-base", "path:target")["model.shop.orders"]


def test_python_records_what_the_artifacts_prove(shop: Any) -> None:
    folders = {
        "base": put(shop, "target-base", "prod", "view", LONG_AGO),
        "ci": put(shop, "target", "ci", "table", JUST_NOW),
    }
    with UnifiedSqlAdapter.from_url(f"duckdb:///{shop.folder.parent / 'store.duckdb'}") as adapter:
        for environment, folder in folders.items():
            record_run(adapter, extract_project(folder, environment=environment))

    assert proven(shop) == {"base": False, "ci": True}
    assert "config" in reasons(shop)["model.shop.orders"]


@pytest.mark.parametrize("way", ["DBT_TARGET_PATH", "hook"])
def test_artifacts_outside_of_the_checkout_that_built_them_are_of_its_commit(
    shop: Any, tmp_path: Path, way: str
) -> None:
    outside = put(shop, "../outside", "ci", "table", LONG_AGO)
    if way == "hook":
        copying = f"import shutil; shutil.copytree({str(outside)!r}, '../built')"
        ran = shop("hook", "--", sys.executable, "-c", copying, "--target-path", str(tmp_path / "built"))
    else:
        ran = shop.within(shop.folder, DBT_TARGET_PATH=str(outside))("record")

    assert ran.code == 0, ran.err
    (run,) = json.loads(shop("runs", "--format", "json").out)["runs"]
    assert run["git_sha"] is not None and run["branch"] is not None


def test_a_folder_outside_of_any_checkout_proves_nothing(shop: Any, tmp_path: Path) -> None:
    put(shop, "../downloaded", "prod", "view", JUST_NOW)
    put(shop, "target", "ci", "table", JUST_NOW)
    assert shop("record", "-e", "base", "--target-path", "../downloaded").code == 0
    assert shop("record", "-e", "ci").code == 0

    assert proven(shop)["ci"] is True
    assert not proven(shop)["base"]
    assert "config" in reasons(shop)["model.shop.orders"]


def test_another_commit_than_that_of_the_checkout_is_not_proven(shop: Any) -> None:
    put(shop, "target", "ci", "table", JUST_NOW)
    assert shop("record", "-e", "ci", "--git-sha", "abc1234").code == 0

    assert proven(shop) == {"ci": False}


def test_a_build_before_the_last_edit_is_refused_on_request(shop: Any) -> None:
    put(shop, "target", "ci", "table", LONG_AGO)
    (shop.folder / ".gitignore").write_text("target\n")
    (shop.folder / "models").mkdir()
    (shop.folder / "models" / "new.sql").write_text("select 4")
    for arguments in (
        ["add", "--all"],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "second"],
    ):
        subprocess.run(["git", *arguments], cwd=shop.folder, check=True)
    refused = shop("record", "-e", "ci", "--require-fresh")

    assert refused.code == 3
    assert "Built before the last edit of models/new.sql" in refused.err and "run dbt again" in refused.err
    assert shop("record", "-e", "ci").code == 0


def test_a_hook_proves_the_commit_that_it_built(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recce_meta.extractors.commit_proof._is_before", lambda path, moment: False)
    put(shop, "target", "ci", "table", LONG_AGO)
    for environment, materialized in (("prod", "view"), ("ci", "table")):
        ran = shop("hook", "-e", environment, "--", sys.executable, "dbt.py", environment, materialized)
        assert ran.code == 0, ran.err

    assert proven(shop) == {"prod": True, "ci": True}
    assert reasons(shop, "prod") == {"model.shop.orders": ["environment"]}
    copied = shop("hook", "-e", "copy", "--run-id", "copy", "--", "touch", "target/manifest.json")
    assert copied.code == 0, copied.err
    assert proven(shop)["copy"] is False, "the manifest is older than the command"
