"""Position of a checkout in the history of its repository: branch, base branch and merge base.

The merge base is the commit of the base branch that the code was built on. A CI service may name it. If not,
git finds it, which requires that the clone contains it: a clone made with `--depth` often does not.

Nothing here raises: an unknown value is None. The checkout's files are not read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from posixpath import dirname, join, normpath

from msgspec import Struct

from recce_meta.extractors.git import (
    CODE_SUFFIXES,
    DBT_IGNORE,
    Claim,
    GitState,
    claim_about,
    git_output,
    read_claims,
    with_claim,
)

CONVENTIONAL = ("main", "master")
"""Names of base branches if neither the CI service, the configuration nor a remote names one."""
REMOTES = ("origin", "upstream")
"""Remotes whose branches are preferred to local ones, which may be behind."""
DEEPEN = "fetch more history: git fetch --deepen=100, or fetch-depth: 0 in actions/checkout"
DOCUMENTATION = ".md"
_COMMIT = re.compile(r"HEAD|[0-9a-fA-F]{4,64}")
SUBMODULE, LINK = "160000", "120000"
"""Modes of a submodule and of a symbolic link in git's trees."""


class MergeBase(Struct, frozen=True, kw_only=True):
    """Commit that a branch started from."""

    sha: str | None = None
    branch: str | None = None
    """Base branch; None if no candidate exists."""
    problem: str | None = None
    """Why the commit is unknown."""
    hint: str | None = None
    """Command that may make it known."""

    @property
    def label(self) -> str:
        """Return `merge base 3f2a1c9 of main`."""
        return f"merge base {(self.sha or '')[:7]}" + (f" of {self.branch}" if self.branch else "")


class Distance(Struct, frozen=True):
    """Numbers of commits that only one of two commits contains."""

    behind: int
    ahead: int


class _Ref(Struct, frozen=True):
    name: str
    sha: str
    target: str
    """Name of the ref that a symbolic ref names; else empty."""
    is_head: bool


class CheckoutHistory:
    """History of the repository that contains the folder *start*, read when a part of it is first used.

    *base_branch* is the configured name of the base branch. A CI service's target branch takes precedence.
    """

    def __init__(self, start: Path, environ: Mapping[str, str], base_branch: str | None = None) -> None:
        self._start, self._environ, self._configured = start, environ, base_branch

    @cached_property
    def head(self) -> str | None:
        """Return the checked-out commit."""
        checked_out = next((ref.sha for ref in self._refs.values() if ref.is_head), None)
        return checked_out or self._commit("HEAD")

    @property
    def sha(self) -> str | None:
        """Return the commit that `record` would store: in CI, the head of the pull request."""
        return self._state.sha

    @property
    def branch(self) -> str | None:
        """Return the checked-out branch, or that of the CI service."""
        return self._state.branch

    @property
    def pull_request(self) -> str | None:
        """Return the number of the pull request, from the CI service."""
        return self._state.pull_request

    @property
    def is_on_base_branch(self) -> bool:
        """Return True if the checkout is the base branch itself, which has no change to compare."""
        return self.pull_request is None and self.branch is not None and self.branch == self._base[0]

    @cached_property
    def merge_base(self) -> MergeBase:
        """Return the merge base of the checkout and the base branch."""
        branch, ref = self._base
        if self._claim is not None and self._claim.base is not None:
            return MergeBase(sha=self._claim.base, branch=branch)
        if self.head is None:
            return MergeBase(branch=branch)
        sha = None
        if ref is not None:
            # Saves a process for a branch without commits of its own.
            sha = ref.sha if ref.sha == self.head else self._merge_base_with(ref.sha)
        sha = sha or self._merged_base()
        return MergeBase(sha=sha, branch=branch) if sha else self._unknown(branch, ref)

    def changed_code(self, one: str, other: str) -> list[str] | None:
        """Return the project's files that differ between two commits; None if git cannot compare them.

        Left out are files that do not belong to a dbt project, hidden files, and hidden folders at the top.
        """
        if self._commit(one) is None or self._commit(other) is None:
            return None
        arguments = ("diff-tree", "-r", "-z", "--no-renames", one, other, "--", ".")
        fields = git_output(self._start, self._environ, arguments).split("\0")[:-1]
        return sorted(_code_of(zip(fields[::2], fields[1::2], strict=False)))

    def commit_of(self, revision: str) -> str | None:
        """Return the id of the commit that *revision* names, such as `main` or `HEAD~2`."""
        arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return self._git(*arguments) or None

    def files_at(self, sha: str) -> tuple[dict[str, bytes], list[str]]:
        """Return the project's files in the commit *sha* that dbt reads, by path, as they are stored in git.

        A link is the file that it names; the paths of links to anything else are returned apart. Submodules
        are left out. Both are empty if git cannot read the files.
        """
        listed = git_output(self._start, self._environ, ("ls-tree", "-r", "-z", sha, "--", "."))
        ids: dict[str, str] = {}
        links: list[str] = []
        for entry in listed.split("\0")[:-1]:
            about, _, path = entry.partition("\t")
            mode, _, blob = about.split(" ")
            if ".." in path.split("/"):  # no file of the project, though a tree may say so
                continue
            if mode == LINK or (mode != SUBMODULE and path.lower().endswith((*CODE_SUFFIXES, DOCUMENTATION))):
                ids[path] = blob
                links += [path] if mode == LINK else []
        given = "".join(f"{blob}\n" for blob in ids.values())
        answer = os.fsencode(git_output(self._start, self._environ, ("cat-file", "--batch"), given))
        found: dict[str, bytes] = {}
        place = 0
        for path in ids:
            end = answer.find(b"\n", place)
            fields = answer[place:end].split(b" ")
            if end < 0 or len(fields) != 3:  # git timed out, or a partial clone lacks the file
                return {}, []
            size = int(fields[2])
            found[path] = answer[end + 1 : end + 1 + size]
            place = end + size + 2
        named = {path: normpath(join(dirname(path), os.fsdecode(found.pop(path)))) for path in links}
        linked = {path: found[target] for path, target in named.items() if target in found}
        return {**found, **linked}, sorted(named.keys() - linked.keys())

    def has_file(self, sha: str, path: str) -> bool:
        """Return True if the commit *sha* has the file at *path*, which is relative to the project."""
        return bool(self._git("ls-tree", sha, "--", path))

    def distance(self, one: str, other: str) -> Distance | None:
        """Return how many commits only *other* contains (behind) and only *one* contains (ahead)."""
        arguments = ("rev-list", "--count", "--left-right", f"{one}...{other}")
        counts = git_output(self._start, self._environ, arguments).split()
        return Distance(behind=int(counts[1]), ahead=int(counts[0])) if len(counts) == 2 else None

    @property
    def is_shallow(self) -> bool:
        """Return True if the clone has only a part of the history."""
        return self._git("rev-parse", "--is-shallow-repository") == "true"

    @cached_property
    def _state(self) -> GitState:
        name = next((name for name, ref in self._refs.items() if ref.is_head), None)
        if name is None and self.head is None:  # before the first commit
            name = self._git("symbolic-ref", "--quiet", "HEAD") or None
        branch = None if name is None else name.removeprefix("refs/heads/")
        return with_claim(GitState(sha=self.head, branch=branch), self._claim)

    @cached_property
    def _claim(self) -> Claim | None:
        return claim_about(self.head, self._start, self._environ)

    @cached_property
    def _refs(self) -> dict[str, _Ref]:
        """Return local branches, and the remote branches that may be the base branch, by full name."""
        # The `HEAD` of a remote names its default branch.
        names = [*_names(self._configured, read_claims(self._environ)), "HEAD", *CONVENTIONAL]
        # Only possible base branches, because a repository may have thousands of remote branches.
        patterns = ["refs/heads", *(f"refs/remotes/*/{name}" for name in dict.fromkeys(names))]
        form = "--format=%(refname)%00%(objectname)%00%(symref)%00%(HEAD)"
        rows = [line.split("\0") for line in self._git("for-each-ref", form, *patterns).split("\n")]
        return {
            _readable(row[0]): _Ref(_readable(row[0]), row[1], _readable(row[2]), row[3] == "*")
            for row in rows
            if len(row) == 4
        }

    @cached_property
    def _base(self) -> tuple[str | None, _Ref | None]:
        """Return the name of the base branch and its ref; None for each unknown value."""
        named = (self._claim.base_branch if self._claim is not None else None) or self._configured
        if named is not None:
            return named, self._ref_of(named)
        for remote in (*REMOTES, *self._remotes):
            default = self._refs.get(f"refs/remotes/{remote}/HEAD")
            if default is not None and default.target:
                return default.target.removeprefix(f"refs/remotes/{remote}/"), default
        found = ((name, ref) for name in CONVENTIONAL if (ref := self._ref_of(name)) is not None)
        return next(found, (None, None))

    def _ref_of(self, branch: str) -> _Ref | None:
        """Return the ref of *branch*: of a remote if possible, because a local branch may be behind."""
        places = [f"refs/remotes/{remote}/{branch}" for remote in (*REMOTES, *self._remotes)]
        return next(
            (self._refs[name] for name in (*places, f"refs/heads/{branch}") if name in self._refs), None
        )

    @cached_property
    def _remotes(self) -> tuple[str, ...]:
        names = (
            name.removeprefix("refs/remotes/") for name in self._refs if name.startswith("refs/remotes/")
        )
        return tuple(dict.fromkeys(name.partition("/")[0] for name in names))

    def _merge_base_with(self, sha: str) -> str | None:
        return self._git("merge-base", self.head or "HEAD", sha) or None

    def _merged_base(self) -> str | None:
        """Return the base of a merge commit that a CI service made of the pull request and its base branch.

        A shallow clone has no history below this commit, but the commit itself names both parents.
        """
        tip = self._claim.state.sha if self._claim is not None and self._claim.commits else None
        if tip is None or self.head is None or self.head.startswith(tip) or self.pull_request is None:
            return None
        # Only the header, because a line of the message may begin with `parent`.
        lines = self._git("cat-file", "commit", self.head).split("\n\n")[0].split("\n")
        parents = [line.removeprefix("parent ") for line in lines if line.startswith("parent ")]
        others = [parent for parent in parents if not parent.startswith(tip)]
        return others[0] if len(parents) == 2 and len(others) == 1 else None

    def _unknown(self, branch: str | None, ref: _Ref | None) -> MergeBase:
        """Return why the merge base is unknown."""
        if branch is None:
            return MergeBase(
                problem="no base branch found (origin/HEAD, main or master)",
                hint="name it as environments.base.branch in recce_meta.yml",
            )
        if ref is None:
            hint = f"git fetch origin {branch}:refs/remotes/origin/{branch}"
            return MergeBase(branch=branch, problem=f"branch {branch} is not in this clone", hint=hint)
        if self.is_shallow:
            problem = f"this shallow clone does not contain the merge base with {branch}"
            return MergeBase(branch=branch, problem=problem, hint=DEEPEN)
        return MergeBase(branch=branch, problem=f"the checkout and {branch} have no common commit")

    def _commit(self, name: str) -> str | None:
        # Only commit ids: git would read other text as an option or as a name.
        if not _COMMIT.fullmatch(name):
            return None
        return self._git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}") or None

    def _git(self, *arguments: str) -> str:
        if not self._may_be_repository:
            return ""
        return git_output(self._start, self._environ, arguments).rstrip("\n")

    @cached_property
    def _may_be_repository(self) -> bool:
        """Return False if git would find no repository, which takes a process for each question."""
        try:
            start = Path(os.path.realpath(self._start))
        except OSError:  # the working directory was deleted
            return True
        # A repository without a working tree has no `.git`.
        places = (folder / name for folder in (start, *start.parents) for name in (".git", "HEAD"))
        return any(map(os.path.lexists, places))


def _names(configured: str | None, claims: Iterable[Claim]) -> Iterator[str]:
    """Yield the names that the base branch may have, except conventional ones and a remote's default."""
    yield from (name for name in (configured, *(claim.base_branch for claim in claims)) if name)


def _readable(name: str) -> str:
    return os.fsencode(name).decode(errors="replace")


def _code_of(changes: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the paths of *changes* that may belong to a dbt project.

    A change is a pair such as `:100644 100644 1f60… 88ab… M` and a path.
    """
    for about, path in changes:
        # dbt reads hidden folders inside of its own, such as models; those beside them are not its.
        parts = path.split("/")
        is_hidden = any(part.startswith(".") and part != DBT_IGNORE for part in (parts[0], parts[-1]))
        is_code = path.endswith((*CODE_SUFFIXES, DOCUMENTATION)) or SUBMODULE in about.split(" ")[:2]
        if is_code and not is_hidden:
            yield _readable(path)
