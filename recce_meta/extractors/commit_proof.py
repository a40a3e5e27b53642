"""Proof that dbt built artifacts from the files of the commit that is checked out.

Artifacts do not name their commit. HEAD may have moved since they were built, or the checkout may never have
contained their files: CI downloads production's artifacts into the checkout of a pull request. Only time
proves a commit. The artifacts must be newer than the commit, the last move of HEAD, and every change of a
tracked file. Any doubt leaves the commit unproven. So does code behind a filter such as Git LFS, because its
text in the checkout differs from the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path

from msgspec import Struct

from recce_meta.extractors.git import CODE_SUFFIXES, DBT_IGNORE, GitState, git_output, read_repository
from recce_meta.extractors.sql_project.settings import read_settings
from recce_meta.models import MacroMetadata, NodeMetadata
from recce_meta.profiles.discovery import PROJECT_FILE

SUBMODULE = "160000"
"""Mode of a submodule in git's index; `detect_git` does not check for edits in it."""
DOCUMENTATION = ".md"
YAML = (".yml", ".yaml")
TEMPLATES = (".sql", ".py")
"""Endings of files whose text the manifest has."""
_NO_FILTER = frozenset(["unspecified", "unset", "set"])
"""What `git check-attr` prints if an attribute names no filter."""
MARGIN = 1.0
"""Seconds by which artifacts must be newer: git and some file systems round times down to a second."""


class Checkout(Struct, frozen=True):
    """The commit of a checkout, at a time."""

    sha: str | None
    """Full commit id of HEAD; None if the checkout is dirty or there is no repository."""
    at: datetime


def clean_checkout(start: Path, environ: Mapping[str, str]) -> Checkout:
    """Return the state of the checkout that contains *start*."""
    repository = read_repository(start, environ)
    sha = repository.sha if repository.dirty is False else None
    return Checkout(sha, datetime.now(timezone.utc))


def proves_commit(
    start: Path,
    git: GitState,
    built_at: datetime,
    environ: Mapping[str, str],
    before: Checkout | None = None,
) -> bool:
    """Return True if artifacts of *built_at* were built from the files of the commit of *git*.

    *before* is the checkout before a command that may have built the artifacts. If the checkout has the same
    commit before and after the command, modification times do not matter.
    """
    now = clean_checkout(start, environ)
    # A CI variable may abbreviate the commit.
    if now.sha is None or not git.sha or git.dirty is not False or not now.sha.startswith(git.sha):
        return False
    if built_at > now.at:  # the clock of one of the machines is wrong
        return False
    if _has_filtered_code(start, environ):
        return False
    if before is not None and before.sha == now.sha and before.at <= built_at:
        return True
    head = _head_times(start, environ)
    return (
        head is not None and built_at.timestamp() - MARGIN > max(head) and _is_older(start, environ, built_at)
    )


def edited_since(
    root: Path, package: str, nodes: Iterable[NodeMetadata], macros: Iterable[MacroMetadata] = ()
) -> list[str]:
    """Return the files of the project in *root* that differ from what *nodes* and *macros* have of them.

    dbt read these from the files. A file of a model that no node has is new.
    """
    codes: dict[str, list[str]] = {}
    read = [(one.package_name, one.path, one.raw_code or "") for one in nodes]
    read += [(one.package_name, one.path, one.macro_sql) for one in macros]
    for owner, path, code in read:
        if owner == package and path.endswith(TEMPLATES):
            codes.setdefault(path, []).append(code)
    # dbt leaves out the files that .dbtignore names, and a model folder may hold all of the project.
    is_plain = (root / PROJECT_FILE).is_file() and not (root / DBT_IGNORE).exists()
    folders = read_settings(root, []).paths["models"] if is_plain else []
    folders = [name for name in folders if (root / name).resolve() != root.resolve()]
    found = {path.relative_to(root).as_posix() for name in folders for path in (root / name).rglob("*.sql")}
    return sorted(
        {*(found - codes.keys()), *(path for path in codes if not _has_codes(root / path, codes[path]))}
    )


def properties_edited_since(root: Path, environ: Mapping[str, str], built_at: datetime) -> list[str]:
    """Return the YAML files in *root* that were edited or removed, and then committed, after *built_at*.

    A new clone has new files of old commits, and a commit may contain edits from before the build.
    """
    folders = [name for names in read_settings(root, []).paths.values() for name in names]
    since = f"--since=@{int(built_at.timestamp()) + 1}"
    found = git_output(
        root,
        environ,
        ("log", since, "--name-only", "--relative", "--format=", "-z", "--", PROJECT_FILE, *folders),
    )
    names = sorted({name for name in found.replace("\n", "\0").split("\0") if name.endswith(YAML)})
    return [name for name in names if _is_after(root / name, built_at)]


def _is_after(path: Path, moment: datetime) -> bool:
    # Removing a file changes its folder.
    there = next((one for one in (path, *path.parents) if one.exists()), path)
    try:
        return there.lstat().st_mtime > moment.timestamp()
    except OSError:
        return False


def _has_codes(path: Path, codes: Iterable[str]) -> bool:
    try:
        text = " ".join(path.read_text(encoding="utf-8-sig", errors="replace").split())
    except OSError:
        return False
    return all(" ".join(code.split()) in text for code in codes)


def _has_filtered_code(start: Path, environ: Mapping[str, str]) -> bool:
    """Return True if tracked code has the attribute `filter`, or if git cannot report it."""
    names = git_output(start, environ, ("ls-files", "-z", ":/")).split("\0")[:-1]
    code = [name for name in names if name.endswith((*CODE_SUFFIXES, DOCUMENTATION))]
    if not code:
        return False
    listed = "".join(f"{name}\0" for name in code)
    answers = git_output(start, environ, ("check-attr", "-z", "--stdin", "filter"), given=listed).split("\0")
    values = answers[2::3]  # path, attribute, value
    return len(values) != len(code) or not _NO_FILTER.issuperset(values)


def _head_times(start: Path, environ: Mapping[str, str]) -> tuple[float, float] | None:
    """Return the time of the commit and of the last move of HEAD; None if git cannot report them."""
    arguments = ("log", "--walk-reflogs", "--max-count=1", "--date=unix", "--format=%ct %gd", "HEAD")
    committed, _, moved = git_output(start, environ, arguments).strip().partition(" HEAD@{")
    moment = moved.removesuffix("}")
    return (float(committed), float(moment)) if committed.isdecimal() and moment.isdecimal() else None


def _is_older(start: Path, environ: Mapping[str, str], built_at: datetime) -> bool:
    """Return True if every tracked file of the repository was last changed before *built_at*."""
    listed = git_output(start, environ, ("ls-files", "-z", "--stage", "-v", ":/"))
    folders: set[Path] = set()
    for entry in listed.split("\0")[:-1]:
        about, _, name = entry.partition("\t")
        path = start / name
        tag, mode = about.split(" ")[:2]
        if mode == SUBMODULE or (tag != "H" and path.exists()):
            return False  # git does not compare submodules, assume-unchanged and skip-worktree files
        if not _is_before(path, built_at):
            return False
        if name.endswith((*CODE_SUFFIXES, DOCUMENTATION)):
            folders.add(path.parent)
    # Removing or renaming a file changes its folder. Every build changes the project's folder.
    return bool(listed) and all(_is_before(folder, built_at) for folder in folders - set(_roots(start)))


def _roots(start: Path) -> Iterator[Path]:
    """Return *start* and the folders above it, as `git ls-files` names them."""
    folder = start
    for _ in start.resolve().parents:
        yield folder
        folder = folder / ".."


def _is_before(path: Path, moment: datetime) -> bool:
    try:
        # Not `stat`, because git tracks a link itself.
        found = path.lstat()
    except FileNotFoundError:  # a sparse checkout is clean without this file
        return True
    except OSError:
        return False
    # A copy may restore the modification time, but no program can set the change time.
    return max(found.st_mtime, found.st_ctime) < moment.timestamp() - MARGIN
