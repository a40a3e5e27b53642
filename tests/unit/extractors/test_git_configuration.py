"""No configuration, attribute or hook of a repository can start a program, and edits are still found."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

import pytest

from recce_meta.extractors.commit_proof import clean_checkout, proves_commit
from recce_meta.extractors.git import detect_git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

HOOKS = ("fsmonitor-watchman", "post-index-change", "post-checkout", "pre-auto-gc", "reference-transaction")


@pytest.fixture
def repository(tmp_path: Path, environ: Mapping[str, str]) -> Path:
    """A repository in which some files have a filter and text attributes."""
    root = tmp_path / "project"
    root.mkdir()
    git(root, environ, "init", "--quiet", "--initial-branch=main")
    (root / ".gitattributes").write_text(
        "*.bin filter=evil diff=evil merge=evil\n*.csv filter=lfs diff=lfs merge=lfs -text\n*.crlf text\n"
    )
    for name in ("a.bin", "b.csv", "c.sql", "d.crlf"):
        (root / name).write_text("one\n")
    git(root, environ, "add", ".")
    git(root, environ, "commit", "--quiet", "--message", "one")
    return root


def git(root: Path, environ: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=dict(environ), capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


class Canaries:
    """Programs that leave a file when they are run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.left = folder, folder / "left"
        self.left.mkdir(parents=True)

    def program(self, name: str) -> str:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n: > '{self.left}/{name}'\ncat 2>/dev/null\nexit 0\n")
        path.chmod(0o755)
        return str(path)

    def sang(self) -> set[str]:
        found = {path.name for path in self.left.iterdir()}
        for path in self.left.iterdir():
            path.unlink()
        return found


def poisoned(git_dir: Path, canaries: Canaries) -> None:
    """Write every setting that names a program into the configuration of *git_dir*, and hooks."""
    hooks = canaries.folder / "hooks"
    hooks.mkdir(exist_ok=True)
    for folder in (hooks, git_dir / "hooks"):
        folder.mkdir(exist_ok=True)
        for hook in HOOKS:
            shutil.copy(canaries.program(f"hook-{hook}"), folder / hook)
    program = canaries.program
    extra = canaries.folder / "included"
    extra.write_text(f'[filter "lfs"]\nclean = {program("lfs-clean")}\nsmudge = {program("lfs-smudge")}\n')
    append(
        git_dir / "config",
        f"""
[filter "evil"]
    clean = {program("clean")}
    smudge = {program("smudge")}
    process = {program("process")}
    required = true
[filter "lfs"]
    process = {program("lfs-process")}
    required = true
[filter ""]
    clean = {program("nameless")}
[diff]
    external = {program("external-diff")}
[diff "evil"]
    command = {program("diff-command")}
    textconv = {program("textconv")}
    cachetextconv = true
[merge "evil"]
    driver = {program("merge-driver")} %A
[core]
    fsmonitor = {program("fsmonitor")}
    hooksPath = {hooks}
    pager = {program("pager")}
    editor = {program("editor")}
    sshCommand = {program("ssh")}
    askPass = {program("askpass")}
    gitProxy = {program("proxy")}
    alternateRefsCommand = {program("alternate-refs")}
[pager]
    status = {program("pager-status")}
    log = {program("pager-log")}
[alias]
    status = !{program("alias-status")}
    log = !{program("alias-log")}
    config = !{program("alias-config")}
[gpg]
    program = {program("gpg")}
[gpg "ssh"]
    program = {program("gpg-ssh")}
[log]
    showSignature = true
[credential]
    helper = !{program("credential")}
[protocol]
    allow = always
[protocol "ext"]
    allow = always
[status]
    submoduleSummary = true
    relativePaths = false
[trace2]
    eventTarget = {canaries.left}/trace2
[include]
    path = {extra}
""",
    )


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def promisor(git_dir: Path, canaries: Canaries) -> None:
    """Make missing objects be fetched by a program."""
    append(
        git_dir / "config",
        f"""
[extensions]
    partialClone = origin
[remote "origin"]
    url = ext::{canaries.program("transport")}
    uploadpack = {canaries.program("uploadpack")}
    promisor = true
    partialclonefilter = blob:none
""",
    )


POISONED_ENVIRONMENT = (
    "GIT_EXTERNAL_DIFF", "GIT_PAGER", "PAGER", "GIT_EDITOR", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS",
    "GIT_PROXY_COMMAND", "GIT_SEQUENCE_EDITOR", "SSH_ASKPASS", "EDITOR",
)  # fmt: skip


def test_nothing_that_a_repository_configures_is_run(
    repository: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    canaries = Canaries(tmp_path / "canaries")
    hostile = dict(environ)
    for name in POISONED_ENVIRONMENT:
        hostile[name] = canaries.program(f"variable-{name}")
    hostile |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "filter.byvariable.clean",
        "GIT_CONFIG_VALUE_0": canaries.program("by-variable"),
        "GIT_TRACE": str(canaries.left / "trace"),
        "GIT_CONFIG": os.devnull,
    }
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "attributes").write_text("*.sql filter=byvariable\n")
    poisoned(repository / ".git", canaries)
    inner = tmp_path / "inner"
    shutil.copytree(repository, inner)
    for name in ("a.bin", "b.csv", "c.sql", "d.crlf"):
        (repository / name).write_text("two\n")
        (inner / name).write_text("two\n")
    index = (repository / ".git" / "index").read_bytes()

    state = detect_git(repository, hostile)
    checkout = clean_checkout(repository, hostile)
    proven = proves_commit(repository, state, datetime.now(timezone.utc), hostile)

    assert canaries.sang() == set()
    assert state.branch == "main" and state.dirty is True  # of a file without a filter
    assert checkout.sha is None and not proven
    assert (repository / ".git" / "index").read_bytes() == index
    subprocess.run(["git", "status"], cwd=inner, env=environ, capture_output=True, check=False)
    assert canaries.sang() >= {"process", "fsmonitor"}  # the canaries can sing


def test_submodules_and_worktrees_start_nothing_either(
    repository: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    canaries = Canaries(tmp_path / "canaries")
    outer, other = tmp_path / "outer", tmp_path / "other"
    outer.mkdir()
    git(outer, environ, "init", "--quiet", "--initial-branch=main")
    allow = ("-c", "protocol.file.allow=always")
    git(outer, environ, *allow, "submodule", "--quiet", "add", str(repository), "inner")
    git(outer, environ, "commit", "--quiet", "--message", "inner")
    git(repository, environ, "worktree", "add", "--quiet", "-b", "side", str(other))
    git(repository, environ, "config", "extensions.worktreeConfig", "true")
    for git_dir in (outer / ".git", outer / ".git" / "modules" / "inner", repository / ".git"):
        poisoned(git_dir, canaries)
    (repository / ".git" / "worktrees" / "other" / "config.worktree").write_text(
        f'[filter "evil"]\nclean = {canaries.program("worktree-clean")}\n'
    )
    for root in (outer / "inner", other):
        (root / "a.bin").write_text("two\n")

    states = [detect_git(root, environ) for root in (outer, outer / "inner", other)]

    assert canaries.sang() == set()
    assert [state.branch for state in states] == ["main", "main", "side"]
    assert [state.dirty for state in states] == [False, None, None]


def test_a_partial_clone_fetches_nothing(repository: Path, environ: dict[str, str], tmp_path: Path) -> None:
    canaries = Canaries(tmp_path / "canaries")
    tree = git(repository, environ, "rev-parse", "HEAD^{tree}")
    promisor(repository / ".git", canaries)
    poisoned(repository / ".git", canaries)
    (repository / ".git" / "objects" / tree[:2] / tree[2:]).unlink()

    detect_git(repository, environ)
    clean_checkout(repository, environ)

    assert canaries.sang() == set()


@pytest.mark.parametrize("name", ["a.bin", "b.csv"])
def test_an_edit_behind_a_filter_leaves_it_unknown_and_proves_nothing(
    repository: Path, environ: dict[str, str], tmp_path: Path, name: str
) -> None:
    poisoned(repository / ".git", Canaries(tmp_path / "canaries"))
    (repository / name).write_text("two and more\n")

    state = detect_git(repository, environ)

    assert state.dirty is None and state.sha is not None
    assert clean_checkout(repository, environ).sha is None
    assert not proves_commit(repository, state, datetime.now(timezone.utc), environ)


def test_an_edit_beside_one_behind_a_filter_is_dirty(
    repository: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    poisoned(repository / ".git", Canaries(tmp_path / "canaries"))
    (repository / "a.bin").write_text("two\n")
    (repository / "new.sql").write_text("select 1")

    assert detect_git(repository, environ).dirty is True


@pytest.mark.parametrize(
    "edit",
    [
        lambda path: path.unlink(),
        lambda path: path.chmod(0o755),
        lambda path: (path.unlink(), path.symlink_to("c.sql")),
    ],
    ids=["removed", "made executable", "made a link"],
)
def test_what_no_filter_explains_is_dirty(
    repository: Path, environ: dict[str, str], tmp_path: Path, edit: object
) -> None:
    poisoned(repository / ".git", Canaries(tmp_path / "canaries"))
    assert callable(edit)
    edit(repository / "a.bin")

    assert detect_git(repository, environ).dirty is True


def test_an_attribute_without_a_configured_filter_is_compared(
    repository: Path, environ: dict[str, str]
) -> None:
    (repository / "b.csv").write_text("two\n")

    assert detect_git(repository, environ).dirty is True


def test_a_filter_whose_name_cannot_be_disabled_leaves_all_unknown(
    repository: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    canaries = Canaries(tmp_path / "canaries")
    (repository / ".gitattributes").write_text("* filter=a=b\n")
    append(repository / ".git" / "config", f'[filter "a=b"]\nclean = {canaries.program("clean")}\n')
    (repository / "c.sql").write_text("two\n")

    assert detect_git(repository, environ).sha is None
    assert canaries.sang() == set()


def test_files_whose_times_alone_changed_are_clean(
    repository: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    for name in ("a.bin", "c.sql", "d.crlf"):
        os.utime(repository / name, (time.time() + 5, time.time() + 5))
    poisoned(repository / ".git", Canaries(tmp_path / "canaries"))

    assert detect_git(repository, environ).dirty is False


@pytest.mark.parametrize("setting", ["true", "input", "false"])
def test_line_ends_are_compared_as_git_stores_them(
    repository: Path, environ: dict[str, str], setting: str
) -> None:
    git(repository, environ, "config", "core.autocrlf", setting)
    for name in ("c.sql", "d.crlf"):
        (repository / name).unlink()
    git(repository, environ, "checkout", "--", ".")
    assert (repository / "d.crlf").read_bytes() == (b"one\r\n" if setting == "true" else b"one\n")
    os.utime(repository / "d.crlf", (time.time() + 5, time.time() + 5))
    assert detect_git(repository, environ).dirty is False

    (repository / "d.crlf").write_bytes(b"two\r\n")
    assert detect_git(repository, environ).dirty is True


def test_edits_are_found_under_names_that_git_quotes(
    repository: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    names = ['quo"te.bin', "tab\there.bin", "ä b.bin", "models/x: filter: y.bin"]
    (repository / "models").mkdir()
    for name in names:
        (repository / name).write_text("one\n")
    git(repository, environ, "add", ".")
    git(repository, environ, "commit", "--quiet", "--message", "names")
    canaries = Canaries(tmp_path / "canaries")
    poisoned(repository / ".git", canaries)
    for name in names:
        (repository / name).write_text("two\n")

    assert detect_git(repository / "models", environ).dirty is None
    assert canaries.sang() == set()

    (repository / "c.sql").write_text("two\n")
    assert detect_git(repository / "models", environ).dirty is True


@pytest.mark.parametrize(
    ("attribute", "proven"), [("", True), ("*.csv filter=lfs", False), ("* -filter", True)]
)
def test_code_behind_a_filter_proves_no_commit_even_if_clean(
    repository: Path, environ: dict[str, str], attribute: str, proven: bool
) -> None:
    """One checkout may hold the content, another a pointer to it, and both are clean."""
    (repository / ".gitattributes").write_text(f"{attribute}\n*.bin filter=lfs\n")
    git(repository, environ, "add", ".")
    git(repository, environ, "commit", "--quiet", "--message", "attributes")
    before = clean_checkout(repository, environ)
    state = detect_git(repository, environ)
    assert state.dirty is False

    assert proves_commit(repository, state, before.at, environ, before) is proven
