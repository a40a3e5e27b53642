"""Commit, branch and pull request of a project, detected from its repository and the CI service.

There are two sources: the repository (`git status`) and the variables of the CI service. In a pull request
the service is more accurate. Its checkout is a detached HEAD, often a temporary merge commit, while its
variables name the head of the branch. But a job may check out another commit, such as the base branch to
compare with. Its variables then describe code that was not built. So the service's values apply only to the
commits that it names, and to merges of them. For any other commit, only the repository counts.

Nothing here raises: a missing or malformed value is None.

A repository's configuration, attributes and hooks can name programs. No call of git here starts any of them.
If git needs such a program to compare a file, the file is neither clean nor dirty, and `dirty` is None.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

# Short, because an unknown commit is better than a command that hangs on a slow file system.
GIT_TIMEOUT = 2.0
"""Timeout of a git call in seconds."""


_SAFE_SETTINGS = (
    "core.fsmonitor=",
    f"core.hooksPath={os.devnull}",
    "core.quotePath=true",
    "log.showSignature=false",
    "status.relativePaths=true",
    "status.submoduleSummary=false",
)
"""Settings that override the repository's: programs to start, and output formats."""
_CHUNK = 65_536
_FILTER = re.compile(r"filter\.(.*)\.(?:clean|smudge|process|required)", re.S)
_KEPT = re.compile(
    r"GIT_CONFIG_.+|GIT_CEILING_DIRECTORIES|GIT_DISCOVERY_ACROSS_FILESYSTEM|GIT_TEST_ASSUME_DIFFERENT_OWNER"
)
"""Variables of git that do not name a program; `_SAFE_SETTINGS` override configuration from them."""


class GitState(Struct, frozen=True):
    """Origin of the code; None for each unknown value."""

    sha: str | None = None
    branch: str | None = None
    dirty: bool | None = None
    """True if tracked files differ from the commit (`git describe --dirty`), or code is untracked.

    None if only files behind a filter such as Git LFS seem to differ, because filters are not run."""
    pull_request: str | None = None
    """Number of the pull or merge request at the hosting service."""


DBT_IGNORE = ".dbtignore"
CODE_SUFFIXES = (".sql", ".py", ".yml", ".yaml", ".csv", DBT_IGNORE)
NOT_CODE = frozenset(
    ["target", "logs", "dbt_packages", "dbt_internal_packages", "dbt_modules", "package-lock.yml",
     ".user.yml", "profiles.yml", ".venv", "venv"]
)  # fmt: skip
"""Names of untracked files and folders that dbt writes or that belong to its setup."""
WRITTEN_BY_DBT = frozenset(["manifest.json", "partial_parse.msgpack", "run_results.json", "dbt.log"])
"""Names of files that dbt writes into its target and log folders, which can have any name."""


class Variable(Struct, frozen=True):
    """An environment variable, and the part of its value to extract (group 1 of *pattern*)."""

    name: str
    pattern: str = r"(.+)"

    def read(self, environ: Mapping[str, str]) -> str | None:
        """Return the extracted part, or None if the variable is unset, empty or does not match."""
        found = re.fullmatch(self.pattern, environ.get(self.name, "").strip())
        # Azure does not expand a mapping of an undefined variable: $(System.PullRequest.…)
        return None if found is None or found[1].startswith("$(") else found[1]


class Provider(Struct, frozen=True, kw_only=True):
    """Variables of one kind of CI job; in each field, the first variable with a value counts."""

    name: str
    when: Variable
    """A variable that is set in jobs of this kind."""
    built: tuple[Variable, ...] = ()
    """The commit checked out by default; in a pull request, it may be a merge with the base."""
    head: tuple[Variable, ...] = ()
    """The commit to record instead: the tip of the pull request's branch."""
    branch: tuple[Variable, ...] = ()
    pull_request: tuple[Variable, ...] = ()
    base_branch: tuple[Variable, ...] = ()
    """The branch that a pull request is merged into."""
    base: tuple[Variable, ...] = ()
    """The commit of that branch that `built` contains."""


class Claim(Struct, frozen=True):
    """Values that a CI service reports for this job."""

    commits: tuple[str, ...]
    """The commits that the values apply to; empty if the service names only a branch."""
    has_default: bool
    """Whether the job checks out one of these commits by default."""
    state: GitState
    base_branch: str | None = None
    base: str | None = None


_NUMBER = r"(\d+)"
_ANY_SHA = r"([0-9a-fA-F]{7,64})"
_HEADS = r"refs/heads/(.+)"
_HEADS_OR_NAME = r"(?:refs/heads/)?(.+)"

# The first fitting provider counts, so pull requests come before other jobs of the same service.
PROVIDERS = (
    # https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    # https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
    # In `pull_request` GITHUB_SHA is the merge commit of refs/pull/N/merge. Only the event file names
    # the head; it is read as the variables event:….
    Provider(
        name="GitHub Actions, pull request",
        when=Variable("GITHUB_REF", r"(refs/pull/.+)"),
        built=(Variable("GITHUB_SHA", _ANY_SHA),),
        head=(Variable("event:head.sha", _ANY_SHA),),
        branch=(Variable("GITHUB_HEAD_REF"), Variable("event:head.ref")),
        pull_request=(Variable("GITHUB_REF", r"refs/pull/(\d+)/.*"), Variable("event:number", _NUMBER)),
        base_branch=(Variable("GITHUB_BASE_REF"), Variable("event:base.ref")),
    ),
    # In `pull_request_target` GITHUB_SHA is the tip of the base. The head is built only if the
    # workflow checks it out explicitly.
    Provider(
        name="GitHub Actions, head of a pull request checked out",
        when=Variable("event:head.sha"),
        head=(Variable("event:head.sha", _ANY_SHA),),
        branch=(Variable("event:head.ref"),),
        pull_request=(Variable("event:number", _NUMBER),),
        base_branch=(Variable("event:base.ref"),),
    ),
    Provider(
        name="GitHub Actions",
        when=Variable("GITHUB_ACTIONS"),
        built=(Variable("GITHUB_SHA", _ANY_SHA),),
        branch=(Variable("GITHUB_REF", _HEADS),),
    ),
    # https://docs.gitlab.com/ci/variables/predefined_variables/
    # In merged results pipelines CI_COMMIT_SHA is the merge. In other merge request pipelines it is the
    # head, and CI_MERGE_REQUEST_SOURCE_BRANCH_SHA and CI_MERGE_REQUEST_TARGET_BRANCH_SHA are empty.
    Provider(
        name="GitLab CI, merge request",
        when=Variable("CI_MERGE_REQUEST_IID", _NUMBER),
        built=(Variable("CI_COMMIT_SHA", _ANY_SHA),),
        head=(Variable("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", _ANY_SHA),),
        branch=(Variable("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"),),
        pull_request=(Variable("CI_MERGE_REQUEST_IID", _NUMBER),),
        base_branch=(Variable("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),),
        base=(
            Variable("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", _ANY_SHA),
            Variable("CI_MERGE_REQUEST_DIFF_BASE_SHA", _ANY_SHA),
        ),
    ),
    Provider(
        name="GitLab CI, pull request of an external repository",
        when=Variable("CI_EXTERNAL_PULL_REQUEST_IID", _NUMBER),
        built=(Variable("CI_COMMIT_SHA", _ANY_SHA),),
        head=(Variable("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA", _ANY_SHA),),
        branch=(Variable("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME"),),
        pull_request=(Variable("CI_EXTERNAL_PULL_REQUEST_IID", _NUMBER),),
        base_branch=(Variable("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME"),),
    ),
    Provider(
        name="GitLab CI",
        when=Variable("GITLAB_CI"),
        built=(Variable("CI_COMMIT_SHA", _ANY_SHA),),
        branch=(Variable("CI_COMMIT_BRANCH"),),
        # With multiple open requests (group/project!12,group/project!13) the right one is unknown.
        pull_request=(Variable("CI_OPEN_MERGE_REQUESTS", r"[^,]*!(\d+)"),),
    ),
    # https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
    # For a repository on GitHub …ID is Azure's internal number, and …NUMBER is GitHub's number.
    # The latter is unset for repositories on Azure.
    Provider(
        name="Azure Pipelines, pull request",
        when=Variable("SYSTEM_PULLREQUEST_PULLREQUESTID", _NUMBER),
        built=(Variable("BUILD_SOURCEVERSION", _ANY_SHA),),
        head=(Variable("SYSTEM_PULLREQUEST_SOURCECOMMITID", _ANY_SHA),),
        branch=(Variable("SYSTEM_PULLREQUEST_SOURCEBRANCH", _HEADS_OR_NAME),),
        pull_request=(
            Variable("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", _NUMBER),
            Variable("SYSTEM_PULLREQUEST_PULLREQUESTID", _NUMBER),
        ),
        base_branch=(Variable("SYSTEM_PULLREQUEST_TARGETBRANCH", _HEADS_OR_NAME),),
    ),
    Provider(
        name="Azure Pipelines",
        when=Variable("TF_BUILD"),
        built=(Variable("BUILD_SOURCEVERSION", _ANY_SHA),),
        branch=(Variable("BUILD_SOURCEBRANCH", _HEADS),),
    ),
    # https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    # In a pull request the job merges the destination into the branch. No variable names the merge
    # commit at HEAD; BITBUCKET_COMMIT is its parent.
    Provider(
        name="Bitbucket Pipelines",
        when=Variable("BITBUCKET_BUILD_NUMBER"),
        built=(Variable("BITBUCKET_COMMIT", _ANY_SHA),),
        branch=(Variable("BITBUCKET_BRANCH"),),
        pull_request=(Variable("BITBUCKET_PR_ID", _NUMBER),),
        base_branch=(Variable("BITBUCKET_PR_DESTINATION_BRANCH"),),
    ),
    # https://circleci.com/docs/reference/variables/
    # CIRCLE_PR_NUMBER is set only for forks; CIRCLE_PULL_REQUEST is the URL of the page.
    Provider(
        name="CircleCI",
        when=Variable("CIRCLECI"),
        built=(Variable("CIRCLE_SHA1", _ANY_SHA),),
        branch=(Variable("CIRCLE_BRANCH"),),
        pull_request=(
            Variable("CIRCLE_PR_NUMBER", _NUMBER),
            Variable("CIRCLE_PULL_REQUEST", r".*/(\d+)/?"),
        ),
    ),
    # https://docs.getdbt.com/docs/build/environment-variables#special-environment-variables
    # PR_ID and GIT_SHA are set in jobs of a pull request, GIT_BRANCH in the Studio IDE.
    Provider(
        name="dbt Cloud, pull request",
        when=Variable("DBT_CLOUD_GIT_SHA"),
        built=(Variable("DBT_CLOUD_GIT_SHA", _ANY_SHA),),
        branch=(Variable("DBT_CLOUD_GIT_BRANCH"),),
        pull_request=(Variable("DBT_CLOUD_PR_ID", _NUMBER),),
    ),
    Provider(
        name="dbt Cloud",
        when=Variable("DBT_CLOUD_GIT_BRANCH"),
        branch=(Variable("DBT_CLOUD_GIT_BRANCH"),),
    ),
)


def detect_git(start: Path, environ: Mapping[str, str]) -> GitState:
    """Return the origin of the code in the directory *start*, from its repository and *environ*."""
    repository = read_repository(start, environ)
    return with_claim(repository, claim_about(repository.sha, start, environ))


def claim_about(head: str | None, start: Path, environ: Mapping[str, str]) -> Claim | None:
    """Return what the CI service reports about the commit *head*, or about its job if *head* is unknown."""
    claims = read_claims(environ)
    if head is None:
        return next((claim for claim in claims if claim.has_default or not claim.commits), None)
    return _claim_about(head, claims, start, environ)


def with_claim(repository: GitState, claim: Claim | None) -> GitState:
    """Return *repository* with the values of *claim*."""
    return repository if claim is None else _merge(repository, claim)


def _merge(repository: GitState, claim: Claim) -> GitState:
    """Combine both sources; a claim without a commit only fills missing values."""
    said = claim.state
    first, second = (said, repository) if claim.commits else (repository, said)
    return GitState(
        sha=first.sha or second.sha,
        branch=first.branch or second.branch,
        dirty=repository.dirty,
        pull_request=said.pull_request,
    )


def _claim_about(head: str, claims: list[Claim], start: Path, environ: Mapping[str, str]) -> Claim | None:
    """Return the first claim about *head*, else about a commit merged in it, else one without commits."""
    named = [claim for claim in claims if claim.commits]
    if about_head := _speaking_of((head,), named):
        return about_head
    parents = _read_parents(start, environ) if named else ()
    if len(parents) > 1 and (about_parent := _speaking_of(parents, named)):
        return about_parent
    return next((claim for claim in claims if not claim.commits), None)


def _speaking_of(shas: tuple[str, ...], claims: list[Claim]) -> Claim | None:
    """Return the first claim that names one of *shas*, perhaps abbreviated, with that commit's full id."""
    for claim in claims:
        for sha in shas:
            if any(sha.startswith(commit) for commit in claim.commits):
                # The first commit is the head of the pull request, which is recorded in place of its merge.
                recorded = sha if sha.startswith(claim.commits[0]) else claim.state.sha
                return replace(claim, state=replace(claim.state, sha=recorded))
    return None


def read_claims(environ: Mapping[str, str]) -> list[Claim]:
    """Return the claims of the CI services, most specific first."""
    environ = {**environ, **_read_event(environ.get("GITHUB_EVENT_PATH"))}
    return [_read_claim(row, environ) for row in PROVIDERS if row.when.read(environ) is not None]


def _read_claim(row: Provider, environ: Mapping[str, str]) -> Claim:
    built, head = _first(row.built, environ), _first(row.head, environ)
    commits = tuple(sha.lower() for sha in (head, built) if sha)
    state = GitState(
        sha=commits[0] if commits else None,
        branch=_first(row.branch, environ),
        pull_request=_first(row.pull_request, environ),
    )
    base = _first(row.base, environ)
    return Claim(commits, built is not None, state, _first(row.base_branch, environ), base and base.lower())


def _first(variables: tuple[Variable, ...], environ: Mapping[str, str]) -> str | None:
    return next((text for variable in variables if (text := variable.read(environ))), None)


class _Head(Struct, frozen=True):
    sha: str = ""
    ref: str = ""


class _PullRequest(Struct, frozen=True):
    number: int = 0
    head: _Head = _Head()
    base: _Head = _Head()


class _Event(Struct, frozen=True):
    """Fields used from the file that GITHUB_EVENT_PATH names."""

    pull_request: _PullRequest = _PullRequest()


def _read_event(path: str | None) -> dict[str, str]:
    """Return GitHub's event as `event:…` variables, which are empty if it is not about a pull request."""
    if not path:
        return {}
    try:
        event = msgspec.json.decode(Path(path).read_bytes(), type=_Event)
    except (OSError, msgspec.DecodeError):
        return {}
    request = event.pull_request
    return {
        "event:head.sha": request.head.sha,
        "event:head.ref": request.head.ref,
        "event:base.ref": request.base.ref,
        "event:number": str(request.number or ""),
    }


def read_repository(start: Path, environ: Mapping[str, str]) -> GitState:
    """Return the state that `git status` reports: lines `# branch.<key> <value>`, then changes."""
    drivers = _filter_drivers(start, environ)
    if drivers is None:
        return GitState()
    # Submodules are compared only by their commit: inspecting each one costs a process.
    # Untracked folders stay one line each, because some have thousands of files.
    status = ("status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--ignore-submodules=dirty",
              "--no-renames")  # fmt: skip
    lines = git_output(start, environ, (*_without_filters(drivers), *status)).split("\n")[:-1]
    about = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# branch."))
    if "branch.oid" not in about:
        return GitState()
    # A branch name may have bytes that are not UTF-8, which neither JSON nor databases accept.
    sha, branch = about["branch.oid"], about.get("branch.head")
    return GitState(
        sha=None if sha == "(initial)" else sha,
        branch=None if branch in (None, "(detached)") else os.fsencode(branch).decode(errors="replace"),
        dirty=_is_dirty(lines, drivers, start, environ),
    )


def _filter_drivers(start: Path, environ: Mapping[str, str]) -> frozenset[str] | None:
    """Return the names of configured filters; None if they cannot be listed, or one cannot be disabled."""
    listed = git_output(start, environ, ("config", "--list", "--null"))
    keys = [entry.partition("\n")[0] for entry in listed.split("\0")[:-1]]
    drivers = frozenset(found[1] for key in keys if (found := _FILTER.fullmatch(key)))
    # `-c NAME=VALUE` ends the name at its first equals sign.
    return None if not keys or any("=" in driver for driver in drivers) else drivers


def _without_filters(drivers: frozenset[str]) -> Iterator[str]:
    """Return the options of git that disable *drivers*."""
    for driver in sorted(drivers):
        for setting in ("clean=", "smudge=", "process=", "required=false"):
            yield from ("-c", f"filter.{driver}.{setting}")


def _is_dirty(
    lines: list[str], drivers: frozenset[str], start: Path, environ: Mapping[str, str]
) -> bool | None:
    """Return True if the *lines* of `git status` show an edit; None if each may come from a filter."""
    changed = [line for line in lines if line[:1] not in ("#", "?")]
    in_doubt = [line.split(" ", 8)[8] for line in changed if drivers and _is_content_alone(line)]
    if len(in_doubt) < len(changed) or _has_new_code(lines, start, environ):
        return True
    if not in_doubt:
        return False
    paths = "".join(f"{path}\n" for path in in_doubt)
    answers = git_output(start, environ, ("check-attr", "--stdin", "filter"), given=paths).splitlines()
    if len(answers) != len(in_doubt):
        return None
    # Each answer is `<path>: filter: <value>`; a value has no spaces.
    return None if all(answer.rpartition(": ")[2] in drivers for answer in answers) else True


def _is_content_alone(line: str) -> bool:
    """Return True if *line*, `1 XY sub mH mI mW hH hI path`, reports edited content that is not staged."""
    parts = line.split(" ", 8)
    return (
        len(parts) == 9
        and parts[0] == "1"
        and parts[1] == ".M"
        and parts[2] == "N..."
        and parts[4] == parts[5]
    )


def _has_new_code(lines: list[str], start: Path, environ: Mapping[str, str]) -> bool:
    """Return True if a line `? <path>` names an untracked file or folder that may belong to the project."""
    paths = [line.removeprefix("? ").strip('"') for line in lines if line.startswith("? ")]
    paths = [path for path in paths if NOT_CODE.isdisjoint(path.rstrip("/").split("/"))]
    if any(path.endswith(CODE_SUFFIXES) for path in paths):
        return True
    return any(path.endswith("/") for path in paths) and _has_code_in_new_folders(start, environ)


def _has_code_in_new_folders(start: Path, environ: Mapping[str, str]) -> bool:
    """Return True if untracked folders that dbt does not write hold code, or cannot be listed."""
    listed = git_output(start, environ, ("ls-files", "-z", "--others", "--exclude-standard", ":/"))
    files = [path.split("/") for path in listed.split("\0")[:-1]]
    written = {tuple(folder) for *folder, name in files if name in WRITTEN_BY_DBT and folder}
    return (
        not files
        or any(
            (not parts[-1] or parts[-1].endswith(CODE_SUFFIXES))  # git does not list a nested repository
            and NOT_CODE.isdisjoint(parts)
            and not any(tuple(parts[:depth]) in written for depth in range(1, len(parts)))
            for parts in files
        )
    )


def _read_parents(start: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(git_output(start, environ, ("rev-list", "--parents", "--max-count=1", "HEAD")).split()[1:])


def git_author(start: Path, environ: Mapping[str, str]) -> str | None:
    """Return `user.name <user.email>` of git's configuration in the folder *start*; None if both are unset.

    >>> git_author(Path("/nowhere"), {}) is None
    True
    """
    found = git_output(start, environ, ("config", "--null", "--get-regexp", r"^user\.(name|email)$"))
    # A later value wins, as in git.
    values = dict(entry.partition("\n")[::2] for entry in found.split("\0"))
    name, email = (" ".join(values.get(key, "").split()) for key in ("user.name", "user.email"))
    return " ".join(filter(None, (name, f"<{email}>" if email else ""))) or None


def git_output(start: Path, environ: Mapping[str, str], arguments: tuple[str, ...], given: str = "") -> str:
    """Return the output of git in *start*, with *given* as its input.

    The result is an empty string if git is missing, fails or takes too long. The caller must disable filters
    for `git status`, the only command used here that compares content.
    """
    import subprocess  # slow to import at start-up

    settings = (option for setting in _SAFE_SETTINGS for option in ("-c", setting))
    try:
        done = subprocess.run(
            ("git", "--no-pager", "--no-optional-locks", *settings, *arguments),
            cwd=start,
            env=_environ_for_git(environ),
            input=os.fsencode(given),
            capture_output=True,
            timeout=GIT_TIMEOUT,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    return os.fsdecode(done.stdout) if done.returncode == 0 else ""


def git_fields(
    start: Path, environ: Mapping[str, str], arguments: tuple[str, ...], seconds: float
) -> Iterator[str]:
    """Yield the fields of git's output in *start*, each of which ends with a zero byte, as git writes them.

    git ends after *seconds*, or with the iterator: a field that is not complete by then is not yielded. No
    field is yielded if git is missing.
    """
    import subprocess  # slow to import at start-up
    import threading

    settings = (option for setting in _SAFE_SETTINGS for option in ("-c", setting))
    try:
        process = subprocess.Popen(
            ("git", "--no-pager", "--no-optional-locks", *settings, *arguments),
            cwd=start,
            env=_environ_for_git(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, ValueError):
        return
    limit = threading.Timer(seconds, process.kill)
    limit.daemon = True
    limit.start()
    rest = b""
    with process:
        try:
            while process.stdout is not None and (chunk := os.read(process.stdout.fileno(), _CHUNK)):
                *fields, rest = (rest + chunk).split(b"\0")
                yield from map(os.fsdecode, fields)
        finally:
            limit.cancel()
            process.kill()


def _environ_for_git(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* for git calls, without programs, locks and prompts.

    Variables of git are removed, except those that locate its configuration. git sets some for its hooks,
    relative to another directory. Some name programs, such as GIT_EXTERNAL_DIFF.
    """
    kept = {
        name: value for name, value in environ.items() if not name.startswith("GIT_") or _KEPT.fullmatch(name)
    }
    return {
        **kept,
        "GIT_ALLOW_PROTOCOL": "none",  # a partial clone would fetch objects, with a transport of its choice
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }
