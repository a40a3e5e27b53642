"""Artifacts prove their commit only if no file can have differed when they were built."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from recce_meta.extractors import commit_proof
from recce_meta.extractors.commit_proof import (
    clean_checkout,
    edited_since,
    properties_edited_since,
    proves_commit,
)
from recce_meta.extractors.git import detect_git
from recce_meta.extractors.project import extract_project
from recce_meta.models import NodeMetadata

PAST = time.time() - 5000
"""The time of files, commits and moves of HEAD that are not what a test is about."""


class Checkout:
    """A repository with a dbt project in it, all of whose times are PAST."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.root, self.environ = root, dict(environ)
        (root / "models").mkdir(parents=True)
        self.write("dbt_project.yml", "name: shop")
        self.write("models/orders.sql", "select 1")
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("first")

    def git(self, *arguments: str, at: float = PAST) -> str:
        moment = {f"GIT_{who}_DATE": f"@{int(at)} +0000" for who in ("AUTHOR", "COMMITTER")}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**self.environ, **moment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def commit(self, message: str, at: float = PAST) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message, at=at)

    def proves(self, built_at: float) -> bool:
        moment = datetime.fromtimestamp(built_at, tz=timezone.utc)
        return proves_commit(self.root, detect_git(self.root, self.environ), moment, self.environ)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.setattr(commit_proof, "MARGIN", 0.03)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(tmp_path),
        **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    return Checkout(tmp_path / "shop", environ)


def soon() -> float:
    """A time of a build that follows all that happened before."""
    time.sleep(0.08)
    return time.time()


def test_a_build_after_the_last_change_proves_the_commit(checkout: Checkout) -> None:
    built = soon()
    (checkout.root / "target").mkdir()
    checkout.write("target/manifest.json", "{}")
    checkout.write(".user.yml", "id: x")

    assert checkout.proves(built)


def test_a_build_before_the_checkout_does_not(checkout: Checkout) -> None:
    assert not checkout.proves(PAST - 60)
    assert not checkout.proves(PAST + 60)  # before its files were written


def test_a_build_in_the_second_of_the_last_change_does_not(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert not checkout.proves(soon())


def test_a_build_in_the_future_does_not(checkout: Checkout) -> None:
    assert not checkout.proves(time.time() + 60)


def build_then_commit(checkout: Checkout) -> None:
    checkout.commit("empty", at=time.time() + 1)


def amend(checkout: Checkout) -> None:
    checkout.git("commit", "--quiet", "--amend", "--allow-empty", "--message", "x", at=time.time() + 1)


def move_to_an_older_commit(checkout: Checkout) -> None:
    checkout.git("checkout", "--quiet", "--detach", "HEAD", at=time.time() + 1)


def edit_and_revert(checkout: Checkout) -> None:
    checkout.write("models/orders.sql", "select 2")
    checkout.git("checkout", "--quiet", "models/orders.sql")


def stash(checkout: Checkout) -> None:
    checkout.write("models/orders.sql", "select 2")
    checkout.git("stash", "--quiet")


def remove_a_new_file(checkout: Checkout) -> None:
    checkout.write("models/new.sql", "select 2")
    (checkout.root / "models/new.sql").unlink()


def give_a_file_an_old_time(checkout: Checkout) -> None:
    checkout.write("models/orders.sql", "select 1")
    os.utime(checkout.root / "models/orders.sql", (PAST, PAST))


def leave_an_edit(checkout: Checkout) -> None:
    checkout.write("models/orders.sql", "select 2")


@pytest.mark.parametrize(
    "after",
    [
        build_then_commit,
        amend,
        move_to_an_older_commit,
        edit_and_revert,
        stash,
        remove_a_new_file,
        give_a_file_an_old_time,
        leave_an_edit,
    ],
)
def test_what_happens_after_the_build_leaves_the_commit_unproven(
    checkout: Checkout, after: Callable[[Checkout], None]
) -> None:
    built = soon()
    assert checkout.proves(built)

    after(checkout)

    assert not checkout.proves(built)


@pytest.mark.parametrize("option", ["--assume-unchanged", "--skip-worktree"])
def test_files_that_git_does_not_compare_prove_nothing(checkout: Checkout, option: str) -> None:
    checkout.git("update-index", option, "models/orders.sql")
    checkout.write("models/orders.sql", "select 2")
    assert detect_git(checkout.root, checkout.environ).dirty is False

    assert not checkout.proves(soon())


def test_files_left_out_of_a_sparse_checkout_do_not_matter(checkout: Checkout) -> None:
    checkout.git("update-index", "--skip-worktree", "models/orders.sql")
    (checkout.root / "models/orders.sql").unlink()

    assert checkout.proves(soon())


def test_files_beside_the_project_count(checkout: Checkout) -> None:
    (checkout.root / "macros").mkdir()
    checkout.write("macros/m.sql", "x")
    (checkout.root / "dbt").mkdir()
    checkout.write("dbt/dbt_project.yml", "name: inner")
    checkout.commit("inner")
    built = datetime.fromtimestamp(soon(), tz=timezone.utc)
    inner = checkout.root / "dbt"
    state = detect_git(inner, checkout.environ)
    assert proves_commit(inner, state, built, checkout.environ)

    edit_and_revert(checkout)

    assert not proves_commit(inner, state, built, checkout.environ)


def test_a_merge_that_ci_made_does_not_prove_the_head_of_the_pull_request(checkout: Checkout) -> None:
    head = checkout.git("rev-parse", "HEAD")
    checkout.git("checkout", "--quiet", "-b", "side")
    checkout.write("models/side.sql", "select 3")
    checkout.commit("side")
    checkout.git("merge", "--quiet", "--no-ff", "--allow-unrelated-histories", "main")
    environ = {
        **checkout.environ,
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_SHA": checkout.git("rev-parse", "HEAD"),
    }
    state = detect_git(checkout.root, environ)
    built = datetime.fromtimestamp(soon(), tz=timezone.utc)
    assert proves_commit(checkout.root, state, built, environ)

    of_the_head = replace(state, sha=head)
    assert not proves_commit(checkout.root, of_the_head, built, environ)


def test_a_command_that_just_built_proves_its_commit_whatever_the_times_of_files(checkout: Checkout) -> None:
    before = clean_checkout(checkout.root, checkout.environ)
    built = datetime.now(timezone.utc)
    edit_and_revert(checkout)
    state = detect_git(checkout.root, checkout.environ)

    def proves(at: datetime) -> bool:
        return proves_commit(checkout.root, state, at, checkout.environ, before)

    assert proves(built)
    assert not proves(before.at - timedelta(seconds=1)), "an older manifest, which the command left as it was"
    checkout.commit("another")
    assert not proves(built)


def test_a_command_in_an_edited_checkout_proves_nothing(checkout: Checkout) -> None:
    checkout.write("models/orders.sql", "select 2")
    before = clean_checkout(checkout.root, checkout.environ)
    built = datetime.now(timezone.utc)
    checkout.git("checkout", "--quiet", "models/orders.sql")
    state = detect_git(checkout.root, checkout.environ)

    assert not proves_commit(checkout.root, state, built, checkout.environ, before)


def test_a_file_that_the_manifest_does_not_have_as_it_is_was_edited_after_the_build(
    checkout: Checkout,
) -> None:
    def model(name: str, code: str) -> NodeMetadata:
        path = f"models/{name}.sql"
        return NodeMetadata(
            unique_id=name, name=name, resource_type="model", package_name="shop", path=path, raw_code=code
        )

    def edited(*built: NodeMetadata) -> list[str]:
        return edited_since(checkout.root, "shop", built)

    orders = model("orders", "select  1")
    of_package = replace(model("other", "select 2"), package_name="other")
    assert edited(orders, of_package) == []
    assert edited(model("orders", "select 2")) == ["models/orders.sql"]
    assert edited(orders, model("gone", "select 3")) == ["models/gone.sql"]
    checkout.write("models/new.sql", "select 4")
    assert edited(orders) == ["models/new.sql"]
    checkout.write(".dbtignore", "new.sql")
    assert edited(orders) == []


def test_a_build_of_an_earlier_commit_is_marked_in_the_run(checkout: Checkout) -> None:
    place = {"package_name": "shop", "original_file_path": "models/orders.sql"}
    node = {"unique_id": "model.shop.orders", "resource_type": "model", "raw_code": "select 1", **place}
    built = datetime.fromtimestamp(PAST + 60, tz=timezone.utc)
    metadata = {"project_name": "shop", "generated_at": built.isoformat()}
    target = checkout.root / "target"
    target.mkdir()
    (target / "manifest.json").write_text(
        json.dumps({"metadata": metadata, "nodes": {"model.shop.orders": node}})
    )
    checkout.write(".gitignore", "target")
    checkout.commit("second")
    same = extract_project(target, environ=checkout.environ)
    checkout.write("models/new.sql", "select 4")
    checkout.commit("third")
    later = extract_project(target, environ=checkout.environ)

    assert (same.run.git_dirty, same.warnings) == (False, ())
    assert (later.run.git_dirty, later.warnings) == (True, ("Built before the last edit of models/new.sql",))


def test_properties_that_were_edited_and_committed_after_the_build_are_named(checkout: Checkout) -> None:
    built, later = PAST + 60, PAST + 120
    for name, edited_at, committed_at in (
        ("removed.yml", PAST, PAST),
        ("cloned.yml", later, PAST),
        ("edited.yml", later, later),
        ("committed.yml", PAST, later),
        ("edited.txt", later, later),
    ):
        checkout.write(f"models/{name}", "version: 2")
        os.utime(checkout.root / "models" / name, (edited_at, edited_at))
        checkout.commit(name, at=committed_at)
    checkout.git("rm", "--quiet", "models/removed.yml")
    checkout.commit("remove", at=later)

    def edited_since_build(at: float) -> list[str]:
        moment = datetime.fromtimestamp(at, tz=timezone.utc)
        return properties_edited_since(checkout.root, checkout.environ, moment)

    assert edited_since_build(built) == ["models/edited.yml", "models/removed.yml"]
    os.utime(checkout.root / "models", (PAST, PAST))
    assert edited_since_build(built) == ["models/edited.yml"]
    assert edited_since_build(later) == []
