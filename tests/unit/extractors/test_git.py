"""The origin of the code: real repositories made with git, and the variables of each service."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from recce_meta.extractors import git as git_module
from recce_meta.extractors.git import PROVIDERS, GitState, detect_git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

BASE, HEAD, MERGE = "b" * 40, "a" * 40, "c" * 40


@pytest.fixture
def repository(tmp_path: Path, environ: Mapping[str, str]) -> Path:
    """A repository of one commit on `main`."""
    root = tmp_path / "project"
    root.mkdir()
    run(root, environ, "init", "--quiet", "--initial-branch=main")
    commit(root, environ, "one.sql")
    return root


def run(root: Path, environ: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=dict(environ), capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(root: Path, environ: Mapping[str, str], name: str) -> str:
    (root / name).write_text("select 1")
    run(root, environ, "add", name)
    run(root, environ, "commit", "--quiet", "--message", name)
    return run(root, environ, "rev-parse", "HEAD")


def event(tmp_path: Path, content: object) -> str:
    path = tmp_path / "event.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


# The repository alone


def test_a_clean_repository_tells_its_commit_and_branch(repository: Path, environ: dict[str, str]) -> None:
    sha = run(repository, environ, "rev-parse", "HEAD")

    assert detect_git(repository, environ) == GitState(sha=sha, branch="main", dirty=False)


def test_a_subdirectory_belongs_to_its_repository(repository: Path, environ: dict[str, str]) -> None:
    (repository / "dbt").mkdir()

    assert detect_git(repository / "dbt", environ).branch == "main"


def test_a_changed_tracked_file_makes_it_dirty(repository: Path, environ: dict[str, str]) -> None:
    (repository / "one.sql").write_text("select 2")

    assert detect_git(repository, environ).dirty is True


def test_a_staged_file_makes_it_dirty(repository: Path, environ: dict[str, str]) -> None:
    (repository / "two.sql").write_text("select 2")
    run(repository, environ, "add", "two.sql")

    assert detect_git(repository, environ).dirty is True


@pytest.mark.parametrize("name", ["models/new.sql", "models/a b/new.yml", "seeds.csv", "model.py"])
def test_untracked_code_makes_it_dirty(repository: Path, environ: dict[str, str], name: str) -> None:
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text("1")

    assert detect_git(repository, environ).dirty is True


@pytest.mark.parametrize(
    "name",
    [
        "profiles.yml",
        "dbt_packages/x/models/a.sql",
        "notes.txt",
        "logs/dbt.log",
        ".user.yml",
        "package-lock.yml",
        "dbt_internal_packages/x/a.sql",
        "sub/.user.yml",
        "images/a.png",
        "dev.duckdb",
    ],
)
def test_what_a_job_puts_there_does_not(repository: Path, environ: dict[str, str], name: str) -> None:
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text("1")

    assert detect_git(repository, environ).dirty is False


def test_what_dbt_leaves_behind_does_not_make_it_dirty(repository: Path, environ: dict[str, str]) -> None:
    (repository / "target").mkdir()
    (repository / "target" / "manifest.json").write_text("{}")

    assert detect_git(repository, environ).dirty is False


def test_folders_that_dbt_writes_do_not_whatever_their_names(
    repository: Path, environ: dict[str, str]
) -> None:
    for name in (
        "target-base/manifest.json",
        "target-base/run/a.sql",
        "out/ci/run_results.json",
        "log/dbt.log",
    ):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text("{}")
    assert detect_git(repository, environ).dirty is False

    (repository / "out/new.sql").write_text("select 1")
    assert detect_git(repository, environ).dirty is True


def test_a_repository_in_a_new_folder_makes_it_dirty(repository: Path, environ: dict[str, str]) -> None:
    (repository / "more" / "inner").mkdir(parents=True)
    run(repository / "more" / "inner", environ, "init", "--quiet")

    assert detect_git(repository, environ).dirty is True


def test_a_lock_file_that_is_tracked_and_edited_makes_it_dirty(
    repository: Path, environ: dict[str, str]
) -> None:
    commit(repository, environ, "package-lock.yml")
    (repository / "package-lock.yml").write_text("packages: []")

    assert detect_git(repository, environ).dirty is True


def test_a_detached_head_has_no_branch(repository: Path, environ: dict[str, str]) -> None:
    run(repository, environ, "checkout", "--quiet", "--detach")

    state = detect_git(repository, environ)

    assert state.branch is None
    assert state.sha is not None


def test_a_repository_without_a_commit_has_a_branch_only(tmp_path: Path, environ: dict[str, str]) -> None:
    run(tmp_path, environ, "init", "--quiet", "--initial-branch=trunk")

    assert detect_git(tmp_path, environ) == GitState(branch="trunk", dirty=False)


def test_a_worktree_tells_its_own_branch(repository: Path, environ: dict[str, str], tmp_path: Path) -> None:
    run(repository, environ, "worktree", "add", "--quiet", "-b", "feature/ä", str(tmp_path / "other"))

    assert detect_git(tmp_path / "other", environ).branch == "feature/ä"


def test_a_shallow_clone_tells_its_commit(repository: Path, environ: dict[str, str], tmp_path: Path) -> None:
    sha = commit(repository, environ, "two.sql")
    run(tmp_path, environ, "clone", "--quiet", "--depth=1", f"file://{repository}", "shallow")

    assert detect_git(tmp_path / "shallow", environ) == GitState(sha=sha, branch="main", dirty=False)


def test_a_submodule_tells_its_own_commit(repository: Path, environ: dict[str, str], tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    run(outer, environ, "init", "--quiet", "--initial-branch=main")
    allow = ("-c", "protocol.file.allow=always")
    run(outer, environ, *allow, "submodule", "--quiet", "add", str(repository), "inner")
    commit(outer, environ, "outer.sql")

    assert detect_git(outer / "inner", environ).sha == run(repository, environ, "rev-parse", "HEAD")
    assert detect_git(outer, environ).sha == run(outer, environ, "rev-parse", "HEAD")
    (outer / "inner" / "one.sql").write_text("select 3")
    assert detect_git(outer / "inner", environ).dirty is True


def test_variables_of_a_git_hook_do_not_lead_elsewhere(
    repository: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    run(other, environ, "init", "--quiet", "--initial-branch=elsewhere")

    state = detect_git(repository, {**environ, "GIT_DIR": str(other / ".git")})

    assert state.branch == "main"


@pytest.mark.parametrize("missing", ["folder", "absent"])
def test_outside_a_repository_nothing_is_known(tmp_path: Path, environ: dict[str, str], missing: str) -> None:
    (tmp_path / "folder").mkdir()

    assert detect_git(tmp_path / missing, environ) == GitState()


def test_without_git_nothing_is_known(repository: Path, environ: dict[str, str], tmp_path: Path) -> None:
    assert detect_git(repository, {**environ, "PATH": str(tmp_path)}) == GitState()


def test_a_repository_of_another_owner_is_left_alone(repository: Path, environ: dict[str, str]) -> None:
    suspicious = {**environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}

    assert detect_git(repository, suspicious) == GitState()


def test_a_hanging_git_is_given_up(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setattr(git_module, "GIT_TIMEOUT", 0.1)

    assert detect_git(tmp_path, {**environ, "PATH": f"{tmp_path}:{environ['PATH']}"}) == GitState()


# The service alone: no repository at hand

SERVICES: list[tuple[str, dict[str, str], GitState]] = [
    (
        "GitHub pull request",
        {"GITHUB_ACTIONS": "true", "GITHUB_SHA": MERGE, "GITHUB_REF": "refs/pull/7/merge"}
        | {"GITHUB_REF_NAME": "7/merge", "GITHUB_HEAD_REF": "fix/tax", "GITHUB_BASE_REF": "main"},
        GitState(sha=MERGE, branch="fix/tax", pull_request="7"),
    ),
    (
        "GitHub push",
        {"GITHUB_ACTIONS": "true", "GITHUB_SHA": HEAD, "GITHUB_REF": "refs/heads/fix/tax"}
        | {"GITHUB_REF_NAME": "fix/tax", "GITHUB_HEAD_REF": ""},
        GitState(sha=HEAD, branch="fix/tax"),
    ),
    (
        "GitHub tag",
        {"GITHUB_ACTIONS": "true", "GITHUB_SHA": HEAD, "GITHUB_REF": "refs/tags/v1"},
        GitState(sha=HEAD),
    ),
    (
        "GitLab merge request",
        {"GITLAB_CI": "true", "CI_COMMIT_SHA": HEAD, "CI_MERGE_REQUEST_IID": "7"}
        | {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "fix", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": ""},
        GitState(sha=HEAD, branch="fix", pull_request="7"),
    ),
    (
        "GitLab merged results",
        {"GITLAB_CI": "true", "CI_COMMIT_SHA": MERGE, "CI_MERGE_REQUEST_IID": "7"}
        | {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "fix", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD},
        GitState(sha=HEAD, branch="fix", pull_request="7"),
    ),
    (
        "GitLab external pull request",
        {"GITLAB_CI": "true", "CI_COMMIT_SHA": HEAD, "CI_EXTERNAL_PULL_REQUEST_IID": "7"}
        | {"CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME": "fix"},
        GitState(sha=HEAD, branch="fix", pull_request="7"),
    ),
    (
        "GitLab branch with one merge request",
        {"GITLAB_CI": "true", "CI_COMMIT_SHA": HEAD, "CI_COMMIT_BRANCH": "fix"}
        | {"CI_OPEN_MERGE_REQUESTS": "shop/jaffle!7"},
        GitState(sha=HEAD, branch="fix", pull_request="7"),
    ),
    (
        "GitLab branch with two merge requests",
        {"GITLAB_CI": "true", "CI_COMMIT_SHA": HEAD, "CI_COMMIT_BRANCH": "fix"}
        | {"CI_OPEN_MERGE_REQUESTS": "shop/jaffle!7,shop/jaffle!8"},
        GitState(sha=HEAD, branch="fix"),
    ),
    (
        "Azure pull request of Azure Repos",
        {"TF_BUILD": "True", "BUILD_SOURCEVERSION": MERGE, "BUILD_SOURCEBRANCH": "refs/pull/7/merge"}
        | {"SYSTEM_PULLREQUEST_PULLREQUESTID": "7", "SYSTEM_PULLREQUEST_SOURCECOMMITID": HEAD}
        | {"SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/fix/tax"},
        GitState(sha=HEAD, branch="fix/tax", pull_request="7"),
    ),
    (
        "Azure pull request of GitHub",
        {"TF_BUILD": "True", "BUILD_SOURCEVERSION": MERGE, "SYSTEM_PULLREQUEST_PULLREQUESTID": "123456"}
        | {"SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": "7", "SYSTEM_PULLREQUEST_SOURCEBRANCH": "fix"}
        | {"SYSTEM_PULLREQUEST_SOURCECOMMITID": HEAD},
        GitState(sha=HEAD, branch="fix", pull_request="7"),
    ),
    (
        "Azure branch with mapped variables that are undefined",
        {"TF_BUILD": "True", "BUILD_SOURCEVERSION": HEAD, "BUILD_SOURCEBRANCH": "refs/heads/main"}
        | {"SYSTEM_PULLREQUEST_PULLREQUESTID": "$(System.PullRequest.PullRequestId)"},
        GitState(sha=HEAD, branch="main"),
    ),
    (
        "Bitbucket pull request",
        {"BITBUCKET_BUILD_NUMBER": "3", "BITBUCKET_COMMIT": HEAD, "BITBUCKET_BRANCH": "fix"}
        | {"BITBUCKET_PR_ID": "7"},
        GitState(sha=HEAD, branch="fix", pull_request="7"),
    ),
    (
        "CircleCI pull request",
        {"CIRCLECI": "true", "CIRCLE_SHA1": HEAD, "CIRCLE_BRANCH": "fix"}
        | {"CIRCLE_PULL_REQUEST": "https://github.com/shop/jaffle/pull/7"},
        GitState(sha=HEAD, branch="fix", pull_request="7"),
    ),
    (
        "CircleCI pull request of a fork",
        {"CIRCLECI": "true", "CIRCLE_SHA1": HEAD, "CIRCLE_BRANCH": "pull/7", "CIRCLE_PR_NUMBER": "7"},
        GitState(sha=HEAD, branch="pull/7", pull_request="7"),
    ),
    (
        "dbt Cloud pull request",
        {"DBT_CLOUD_PR_ID": "7", "DBT_CLOUD_GIT_SHA": HEAD},
        GitState(sha=HEAD, pull_request="7"),
    ),
    ("dbt Cloud IDE", {"DBT_CLOUD_GIT_BRANCH": "fix"}, GitState(branch="fix")),
    ("nothing usable", {"CIRCLECI": "true", "CIRCLE_SHA1": "latest", "CIRCLE_PULL_REQUEST": "x"}, GitState()),
]


@pytest.mark.parametrize(
    ("variables", "expected"), [case[1:] for case in SERVICES], ids=[c[0] for c in SERVICES]
)
def test_each_service_tells_what_it_builds(
    variables: dict[str, str], expected: GitState, environ: dict[str, str], tmp_path: Path
) -> None:
    assert detect_git(tmp_path, {**environ, **variables}) == expected


def test_every_provider_is_exercised() -> None:
    def applies(name: str) -> bool:
        row = next(row for row in PROVIDERS if row.name == name)
        return any(row.when.read(variables) is not None for _, variables, _ in SERVICES)

    unused = {row.name for row in PROVIDERS if not applies(row.name)}

    assert unused == {"GitHub Actions, head of a pull request checked out"}


# Both


@pytest.fixture
def pull_request(repository: Path, environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The job of a pull request on GitHub: detached at the merge of `fix` into `main`."""
    run(repository, environ, "checkout", "--quiet", "-b", "fix")
    head = commit(repository, environ, "fix.sql")
    run(repository, environ, "checkout", "--quiet", "--detach", "main")
    run(repository, environ, "merge", "--quiet", "--no-ff", "--message", "Merge", "fix")
    payload = {"number": 7, "pull_request": {"number": 7, "head": {"sha": head, "ref": "fix"}}}
    return {
        **environ,
        "GITHUB_ACTIONS": "true",
        "GITHUB_SHA": run(repository, environ, "rev-parse", "HEAD"),
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_HEAD_REF": "fix",
        "GITHUB_EVENT_PATH": event(tmp_path, payload),
        "TEST_HEAD": head,
    }


def test_of_a_merge_commit_the_head_is_told(repository: Path, pull_request: dict[str, str]) -> None:
    head = pull_request["TEST_HEAD"]

    assert detect_git(repository, pull_request) == GitState(
        sha=head, branch="fix", dirty=False, pull_request="7"
    )


def test_the_head_itself_may_be_checked_out(repository: Path, pull_request: dict[str, str]) -> None:
    run(repository, pull_request, "checkout", "--quiet", "--detach", "fix")

    assert detect_git(repository, pull_request).pull_request == "7"
    assert detect_git(repository, pull_request).branch == "fix"


def test_the_base_built_in_the_same_job_is_not_the_pull_request(
    repository: Path, pull_request: dict[str, str]
) -> None:
    run(repository, pull_request, "checkout", "--quiet", "main")

    sha = run(repository, pull_request, "rev-parse", "main")
    assert detect_git(repository, pull_request) == GitState(sha=sha, branch="main", dirty=False)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"pull_request": null}', '{"pull_request": {"head": 1}}']
)
def test_an_unreadable_event_leaves_the_merge_commit(
    repository: Path, pull_request: dict[str, str], content: str
) -> None:
    Path(pull_request["GITHUB_EVENT_PATH"]).write_text(content)

    assert detect_git(repository, pull_request) == GitState(
        sha=pull_request["GITHUB_SHA"], branch="fix", dirty=False, pull_request="7"
    )


def test_an_absent_event_leaves_the_merge_commit(repository: Path, pull_request: dict[str, str]) -> None:
    Path(pull_request["GITHUB_EVENT_PATH"]).unlink()

    assert detect_git(repository, pull_request).sha == pull_request["GITHUB_SHA"]


@pytest.mark.parametrize(("checked_out", "number"), [("main", None), ("fix", "7")])
def test_a_privileged_workflow_builds_the_base_unless_it_checks_out_the_head(
    repository: Path, pull_request: dict[str, str], checked_out: str, number: str | None
) -> None:
    base = run(repository, pull_request, "rev-parse", "main")
    target = {**pull_request, "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": base}
    run(repository, pull_request, "checkout", "--quiet", "--detach", checked_out)

    state = detect_git(repository, target)

    assert (state.branch, state.pull_request) == (checked_out, number)
    assert state.sha == run(repository, pull_request, "rev-parse", checked_out)


def test_a_merge_made_by_the_job_itself_is_the_pull_request(
    repository: Path, pull_request: dict[str, str], environ: dict[str, str]
) -> None:
    short = pull_request["TEST_HEAD"][:12]
    bitbucket = {"BITBUCKET_BUILD_NUMBER": "1", "BITBUCKET_COMMIT": short, "BITBUCKET_BRANCH": "fix"}

    state = detect_git(repository, {**environ, **bitbucket, "BITBUCKET_PR_ID": "7"})

    assert (state.sha, state.branch, state.pull_request) == (pull_request["TEST_HEAD"], "fix", "7")


def test_an_abbreviated_commit_is_completed(repository: Path, environ: dict[str, str]) -> None:
    sha = run(repository, environ, "rev-parse", "HEAD")
    circle = {"CIRCLECI": "true", "CIRCLE_SHA1": sha[:10].upper(), "CIRCLE_BRANCH": "main"}

    assert detect_git(repository, {**environ, **circle}).sha == sha


def test_a_branch_without_a_commit_only_fills_a_gap(repository: Path, environ: dict[str, str]) -> None:
    studio = {**environ, "DBT_CLOUD_GIT_BRANCH": "studio"}

    assert detect_git(repository, studio).branch == "main"
    run(repository, environ, "checkout", "--quiet", "--detach")
    assert detect_git(repository, studio).branch == "studio"
