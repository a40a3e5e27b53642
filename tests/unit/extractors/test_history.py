"""Branch, base branch and merge base: real repositories made with git, and the variables of CI services."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from recce_meta.extractors.history import DEEPEN, CheckoutHistory, Distance

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

UNKNOWN = "f" * 40


class Repository:
    """A repository with a commit on `main`."""

    def __init__(self, root: Path, environ: Mapping[str, str], *arguments: str) -> None:
        self.root, self.environ = root, dict(environ)
        if not root.exists():
            root.mkdir()
            self("init", "--quiet", "--initial-branch=main", *arguments)
            self.commit("first")

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=self.environ, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, name: str, path: str | None = None) -> str:
        file = self.root / (path or f"{name}.sql")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        self("add", ".")
        self("commit", "--quiet", "--message", name)
        return self("rev-parse", "HEAD")

    def branch(self, name: str, start: str = "HEAD") -> None:
        self("checkout", "--quiet", "-b", name, start)

    def clone(self, name: str, *options: str) -> Repository:
        place = self.root.parent / name
        self("clone", "--quiet", *options, f"file://{self.root}", str(place))
        return Repository(place, self.environ)

    def history(self, base_branch: str | None = None, folder: str = ".", **variables: str) -> CheckoutHistory:
        return CheckoutHistory(self.root / folder, {**self.environ, **variables}, base_branch)

    def merge_base(self, base_branch: str | None = None, **variables: str) -> str | None:
        return self.history(base_branch, **variables).merge_base.sha


@pytest.fixture
def repository(tmp_path: Path, environ: dict[str, str]) -> Repository:
    return Repository(tmp_path / "shop", environ)


def pull_request(repository: Repository) -> tuple[str, str]:
    """Leave `feature/x` checked out, and return its start and its head; `main` has one more commit."""
    start = repository("rev-parse", "HEAD")
    repository.branch("feature/x")
    head = repository.commit("change")
    repository("checkout", "--quiet", "main")
    repository.commit("meanwhile")
    repository("checkout", "--quiet", "feature/x")
    return start, head


def test_a_branch_starts_at_the_commit_that_it_shares_with_main(repository: Repository) -> None:
    start, head = pull_request(repository)
    history = repository.history()

    assert (history.head, history.branch, history.is_on_base_branch) == (head, "feature/x", False)
    assert (history.merge_base.sha, history.merge_base.branch) == (start, "main")
    assert history.merge_base.label == f"merge base {start[:7]} of main"


def test_a_new_branch_starts_at_its_own_commit(repository: Repository) -> None:
    repository.branch("feature/x")

    assert repository.merge_base() == repository("rev-parse", "main")


def test_the_base_branch_is_recognised(repository: Repository) -> None:
    history = repository.history()

    assert history.is_on_base_branch
    assert history.merge_base.sha == history.head


def test_the_branch_of_a_remote_precedes_a_local_one_that_is_behind(repository: Repository) -> None:
    clone = repository.clone("clone")
    newer = repository.commit("newer")
    clone("fetch", "--quiet")
    clone.branch("feature/x", "origin/main")
    clone.commit("change")

    assert clone("rev-parse", "main") != newer
    assert clone.merge_base() == newer


def test_the_default_branch_of_the_remote_is_the_base_branch(repository: Repository) -> None:
    repository("branch", "--move", "main", "trunk")
    clone = repository.clone("clone")
    clone.branch("feature/x")
    clone.commit("change")

    assert clone.history().merge_base.branch == "trunk"
    assert clone.merge_base() == repository("rev-parse", "trunk")


def test_a_remote_of_another_name_has_a_base_branch_too(repository: Repository) -> None:
    clone = repository.clone("clone", "--origin", "company")
    clone("branch", "--move", "main", "feature/x")

    assert clone.history().merge_base.branch == "main"


def test_a_configured_base_branch_precedes_the_conventional_ones(repository: Repository) -> None:
    repository.branch("release/1")
    start = repository.commit("release")
    repository.branch("feature/x")
    repository.commit("change")

    assert repository.merge_base("release/1") == start
    assert repository.merge_base() == repository("rev-parse", "main")


def test_without_a_base_branch_the_merge_base_is_unknown(tmp_path: Path, environ: dict[str, str]) -> None:
    repository = Repository(tmp_path / "shop", environ)
    repository("branch", "--move", "main", "trunk")
    start = repository.history().merge_base

    assert (start.sha, start.branch) == (None, None)
    assert "no base branch found" in (start.problem or "")


def test_a_folder_outside_a_repository_has_no_history(tmp_path: Path, environ: dict[str, str]) -> None:
    history = CheckoutHistory(tmp_path, environ)

    assert (history.head, history.branch, history.is_on_base_branch) == (None, None, False)
    assert history.merge_base.sha is None and history.merge_base.problem is None


def test_git_is_started_only_if_there_may_be_a_repository(tmp_path: Path, environ: dict[str, str]) -> None:
    asked, git = tmp_path / "asked", tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(f"#!/bin/sh\n: > '{asked}'\n")
    git.chmod(0o755)
    environ |= {"PATH": str(git.parent)}

    assert CheckoutHistory(tmp_path, environ).head is None
    assert not asked.exists()

    (tmp_path / ".git").mkdir()
    assert CheckoutHistory(git.parent, environ).head is None
    assert asked.exists()


def test_a_repository_without_a_working_tree_has_a_branch(tmp_path: Path, environ: dict[str, str]) -> None:
    make = ["git", "init", "--quiet", "--bare", "--initial-branch=trunk"]
    subprocess.run(make, cwd=tmp_path, env=environ, check=True)

    assert CheckoutHistory(tmp_path, environ).branch == "trunk"


def test_git_that_is_not_installed_is_no_error(repository: Repository) -> None:
    history = repository.history(PATH="")

    assert (history.head, history.branch, history.merge_base.sha) == (None, None, None)


def test_a_repository_without_a_commit_has_a_branch_only(tmp_path: Path, environ: dict[str, str]) -> None:
    subprocess.run(
        ["git", "init", "--quiet", "--initial-branch=trunk"], cwd=tmp_path, env=environ, check=True
    )
    history = CheckoutHistory(tmp_path, environ)

    assert (history.head, history.branch, history.merge_base.sha) == (None, "trunk", None)


def test_unrelated_histories_have_no_merge_base(repository: Repository) -> None:
    repository("checkout", "--quiet", "--orphan", "pages")
    repository.commit("page")

    assert repository.merge_base() is None
    assert "no common commit" in (repository.history().merge_base.problem or "")


def test_a_worktree_has_its_own_branch(repository: Repository) -> None:
    start, head = pull_request(repository)
    repository("checkout", "--quiet", "main")
    other = repository.root.parent / "other"
    repository("worktree", "add", "--quiet", str(other), "feature/x")
    history = CheckoutHistory(other, repository.environ)

    assert (history.branch, history.head, history.merge_base.sha) == ("feature/x", head, start)
    assert repository.history().branch == "main"


def test_a_submodule_has_its_own_history(repository: Repository, environ: dict[str, str]) -> None:
    outer = Repository(repository.root.parent / "outer", environ)
    outer("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository.root), "shop")
    outer.commit("with shop", "outer.sql")
    inner = Repository(outer.root / "shop", environ)
    inner.branch("feature/x")
    inner.commit("change")

    assert inner.merge_base() == repository("rev-parse", "main")
    assert inner.history().branch == "feature/x"
    assert outer.history().branch == "main"


def test_after_a_squash_merge_the_old_branch_keeps_its_start(repository: Repository) -> None:
    start, _ = pull_request(repository)
    repository("checkout", "--quiet", "main")
    repository("merge", "--quiet", "--squash", "feature/x")
    squashed = repository.commit("squashed", "more.sql")
    repository("checkout", "--quiet", "feature/x")
    assert repository.merge_base() == start

    repository.branch("feature/y", "main")
    assert repository.merge_base() == squashed


def test_main_merged_into_a_branch_moves_its_start(repository: Repository) -> None:
    pull_request(repository)
    repository("merge", "--quiet", "--no-edit", "main")

    assert repository.merge_base() == repository("rev-parse", "main")


def test_a_branch_named_main_inside_a_folder_is_another_branch(repository: Repository) -> None:
    repository.branch("feature/main")
    history = repository.history()

    assert (history.branch, history.is_on_base_branch) == ("feature/main", False)


# Shallow clones


def test_a_shallow_clone_without_the_merge_base_is_reported(repository: Repository) -> None:
    pull_request(repository)
    repository("checkout", "--quiet", "main")
    clone = repository.clone("shallow", "--depth=1", "--no-single-branch", "--branch=feature/x")
    start = clone.history().merge_base

    assert (start.sha, start.branch) == (None, "main")
    assert "shallow clone" in (start.problem or "")
    assert start.hint == DEEPEN and "git fetch --deepen" in DEEPEN and "fetch-depth: 0" in DEEPEN

    clone("fetch", "--quiet", "--deepen=100")
    assert clone.merge_base() == repository("rev-parse", "main~1")


def test_a_clone_without_the_base_branch_is_reported(repository: Repository) -> None:
    pull_request(repository)
    clone = repository.clone("single", "--single-branch", "--branch=feature/x")
    job = {"CI_MERGE_REQUEST_IID": "7", "CI_COMMIT_SHA": clone("rev-parse", "HEAD")}
    start = clone.history(**job, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main").merge_base

    assert start.sha is None
    assert "branch main is not in this clone" in (start.problem or "")
    assert "git fetch origin main" in (start.hint or "")


# CI services


def event(repository: Repository, head: str) -> str:
    path = repository.root.parent / "event.json"
    request = {
        "number": 41,
        "head": {"sha": head, "ref": "feature/x"},
        "base": {"ref": "main", "sha": UNKNOWN},
    }
    path.write_text(json.dumps({"pull_request": request}))
    return str(path)


def on_github(repository: Repository, head: str, merged: str, **variables: str) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REF": "refs/pull/41/merge",
        "GITHUB_SHA": merged,
        "GITHUB_HEAD_REF": "feature/x",
        "GITHUB_BASE_REF": "main",
        "GITHUB_EVENT_PATH": event(repository, head),
        **variables,
    }


def merged(repository: Repository) -> str:
    """Check out the merge of `feature/x` into `main`, as GitHub does, and return it."""
    repository("checkout", "--quiet", "--detach", "main")
    repository("merge", "--quiet", "--no-edit", "--no-ff", "feature/x")
    return repository("rev-parse", "HEAD")


def test_a_job_of_github_compares_with_the_tip_of_main_that_it_merged(repository: Repository) -> None:
    _, head = pull_request(repository)
    tip, merge = repository("rev-parse", "main"), merged(repository)
    history = repository.history(**on_github(repository, head, merge))

    assert (history.branch, history.sha, history.pull_request) == ("feature/x", head, "41")
    assert (history.merge_base.sha, history.merge_base.branch) == (tip, "main")


def test_the_default_checkout_of_github_needs_no_more_history(repository: Repository) -> None:
    _, head = pull_request(repository)
    tip, merge = repository("rev-parse", "main"), merged(repository)
    repository("update-ref", "refs/pull/41/merge", merge)
    runner = Repository(repository.root.parent / "runner", repository.environ)
    shutil.rmtree(runner.root)
    runner.root.mkdir()
    runner("init", "--quiet")
    source = f"file://{repository.root}"
    runner("fetch", "--quiet", "--depth=1", source, "refs/pull/41/merge:refs/remotes/pull/41/merge")
    runner("checkout", "--quiet", "--detach", "refs/remotes/pull/41/merge")
    history = runner.history(**on_github(repository, head, merge))

    assert (history.head, history.branch, history.is_shallow) == (merge, "feature/x", True)
    assert (history.merge_base.sha, history.merge_base.branch) == (tip, "main")


def test_a_fork_with_a_branch_named_main_is_not_on_the_base_branch(repository: Repository) -> None:
    _, head = pull_request(repository)
    variables = on_github(repository, head, merged(repository), GITHUB_HEAD_REF="main")
    history = repository.history(**variables)

    assert (history.branch, history.is_on_base_branch) == ("main", False)


def test_gitlab_names_the_merge_base_itself(repository: Repository) -> None:
    start, head = pull_request(repository)
    clone = repository.clone("shallow", "--depth=1", "--branch=feature/x")
    clone("checkout", "--quiet", "--detach")
    variables = {
        "GITLAB_CI": "true",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_COMMIT_SHA": head,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature/x",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": start.upper(),
    }
    history = clone.history(**variables)

    assert (history.branch, history.merge_base.sha, history.merge_base.branch) == ("feature/x", start, "main")
    tip = repository("rev-parse", "main")
    assert clone.merge_base(**variables | {"CI_MERGE_REQUEST_TARGET_BRANCH_SHA": tip}) == tip


def test_variables_do_not_describe_another_commit_than_the_jobs(repository: Repository) -> None:
    start, _ = pull_request(repository)
    variables = {
        "CI_MERGE_REQUEST_IID": "7",
        "CI_COMMIT_SHA": UNKNOWN,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature/y",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": UNKNOWN,
    }
    history = repository.history(**variables)

    assert (history.branch, history.merge_base.sha) == ("feature/x", start)


@pytest.mark.parametrize(
    "variables",
    [
        {"SYSTEM_PULLREQUEST_PULLREQUESTID": "7", "BUILD_SOURCEVERSION": "MERGE",
         "SYSTEM_PULLREQUEST_SOURCECOMMITID": "HEAD",
         "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/feature/x",
         "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/stable"},
        {"BITBUCKET_BUILD_NUMBER": "3", "BITBUCKET_COMMIT": "HEAD", "BITBUCKET_BRANCH": "feature/x",
         "BITBUCKET_PR_ID": "7", "BITBUCKET_PR_DESTINATION_BRANCH": "stable"},
        {"CI_EXTERNAL_PULL_REQUEST_IID": "7", "CI_COMMIT_SHA": "HEAD",
         "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME": "feature/x",
         "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME": "stable"},
    ],
    ids=["azure", "bitbucket", "gitlab-external"],
)  # fmt: skip
def test_the_service_names_the_target_branch(repository: Repository, variables: dict[str, str]) -> None:
    repository("branch", "stable")
    _, head = pull_request(repository)
    repository("checkout", "--quiet", "stable")
    tip = repository.commit("of stable")
    repository("checkout", "--quiet", "--detach", "stable")
    repository("merge", "--quiet", "--no-edit", "feature/x")
    places = {"HEAD": head, "MERGE": repository("rev-parse", "HEAD")}
    history = repository.history(**{name: places.get(text, text) for name, text in variables.items()})

    assert (history.branch, history.merge_base.sha, history.merge_base.branch) == ("feature/x", tip, "stable")


# Differences between commits


def test_only_files_of_the_project_count_as_changed(repository: Repository) -> None:
    first = repository("rev-parse", "HEAD")
    repository.commit("a", "dbt/models/a.sql")
    repository.commit("ci", ".github/workflows/ci.yml")
    repository.commit("text", "dbt/notes.txt")
    repository.commit("hidden", "dbt/models/.old/b.sql")
    repository.commit("hidden file", "dbt/models/.c.sql")
    second = repository.commit("docs", "dbt/models/ä.md")

    assert repository.history().changed_code(first, second) == [
        "dbt/models/.old/b.sql", "dbt/models/a.sql", "dbt/models/ä.md"
    ]  # fmt: skip
    assert repository.history(folder="dbt").changed_code(second, first) != []
    other = repository.commit("elsewhere", "ingest/load.py")
    assert repository.history(folder="dbt").changed_code(second, other) == []
    assert repository.history().changed_code(second, UNKNOWN) is None
    assert repository.history().changed_code("--help", other) is None


def test_a_submodule_at_another_commit_counts_as_changed(
    repository: Repository, environ: dict[str, str]
) -> None:
    outer = Repository(repository.root.parent / "outer", environ)
    first = outer("rev-parse", "HEAD")
    outer("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository.root), "shop")
    outer("commit", "--quiet", "--message", "with shop")

    assert "shop" in (outer.history().changed_code(first, outer("rev-parse", "HEAD")) or [])


def test_the_distance_counts_the_commits_of_each_side(repository: Repository) -> None:
    start, head = pull_request(repository)

    assert repository.history().distance(start, head) == Distance(behind=1, ahead=0)
    assert repository.history().distance(head, "main") == Distance(behind=1, ahead=1)
