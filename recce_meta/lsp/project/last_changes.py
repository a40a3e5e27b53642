"""Last commit of each file of a project, found in one pass over the history of its repository.

Indexing writes the result next to the cached store, and the server reads it with the first hover. The history
is read again only after HEAD has moved. No program that the repository's configuration names is started.

The commit of a file is the newest one that gave it the content that it has at HEAD: a branch whose change was
discarded by a merge does not count. It is unknown if a shallow clone ends before it, or if the pass over the
history reaches one of its limits first. Renames are not followed, so a moved file was changed by its move.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from hashlib import sha1, sha256
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from recce_meta.extractors.git import NOT_CODE, git_fields, git_output
from recce_meta.lsp.project.project_files import is_text

CHANGES = ".changes"
"""Suffix of the file next to the cached store."""
MOST_COMMITS = 20_000
"""Number of commits that are read; files that none of them changed have no last change."""
MOST_SECONDS = 5.0
"""Time after which the pass over the history ends."""
LONGEST = 200
"""Number of characters of a name or subject that are stored."""
_SUFFIXES = (".sql", ".py", ".csv")
_FILE_MODES = ("100644", "100755")
_LARGEST_FILE = 20_000_000
_SHA1_LENGTH = 40
_ATTRIBUTES = ("filter", "ident", "working-tree-encoding")
"""Attributes with which the content in the repository differs from that of the file."""
_PLAIN = ("unspecified", "unset")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LOG = (
    # A configured order of files, an omitted first commit, or renames would change the output.
    "-c", "log.showRoot=true", "-c", "log.follow=false", "-c", "diff.relative=false",
    "log", f"--max-count={MOST_COMMITS}", "--raw", "-c", "-z", "--no-abbrev", "--no-renames", "--no-color",
    f"-O{os.devnull}", "--no-ext-diff", "--no-textconv", "--no-notes", "--encoding=UTF-8",
    "--ignore-submodules=all", "--format=%H%x00%P%x00%at%x00%an%x00%s",
)  # fmt: skip


class FileCommit(Struct, frozen=True, array_like=True):
    """Commit that changed a file."""

    sha: str
    at: int | None
    """Time of the author, in seconds since 1970."""
    author: str
    subject: str

    @property
    def time(self) -> datetime | None:
        """Return the time in UTC; None if it is out of range, because anyone can write any number."""
        with suppress(OverflowError):
            return _EPOCH + timedelta(seconds=self.at) if self.at is not None else None
        return None


class FileChange(Struct, frozen=True, array_like=True):
    """Last change of one file, as stored."""

    commit: int
    """Position of the commit in `LastChanges.commits`."""
    object_id: str
    """Id of the content at HEAD."""
    is_edited: bool | None
    """True if the file had other content when it was read; None if the two cannot be compared."""


class LastChange(Struct, frozen=True):
    """Last commit of a file, and the content that it left."""

    commit: FileCommit
    file: FileChange

    def is_edited(self, text: str | None = None) -> bool | None:
        """Return True if *text*, by default the file, has other content; None if that is unknown."""
        known = self.file.is_edited
        if text is None or known is None:
            return known
        return not _is_content(text.encode("utf-8", "surrogatepass"), self.file.object_id)


class LastChanges(Struct, frozen=True):
    """Last changes of the files of a project."""

    head: str = ""
    """Commit that was checked out, and whether the clone is shallow; empty without a repository."""
    commits: tuple[FileCommit, ...] = ()
    files: Mapping[str, FileChange] = {}
    """Changes by path below the project's folder, with forward slashes."""

    def of(self, path: str) -> LastChange | None:
        """Return the last change of the file *path*; None if it is unknown."""
        file = self.files.get(path)
        if file is None or not 0 <= file.commit < len(self.commits):
            return None
        return LastChange(self.commits[file.commit], file)


def update_last_changes(root: Path, store: Path, environ: Mapping[str, str]) -> LastChanges:
    """Write the last changes of the files in *root* next to the cached *store*, and return them.

    The file is deleted if git knows no commit of the project.
    """
    place = store.with_suffix(CHANGES)
    known = read_last_changes(place)
    found = find_last_changes(root, environ, known)
    with suppress(OSError):  # hover lacks a line
        if not found.files:
            place.unlink(missing_ok=True)
        elif found != known:
            _write(place, msgspec.json.encode(found))
    return found


def read_last_changes(place: Path) -> LastChanges:
    """Return the last changes in the file *place*; none if it is missing or damaged."""
    try:
        return msgspec.json.decode(place.read_bytes(), type=LastChanges)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return LastChanges()


def find_last_changes(root: Path, environ: Mapping[str, str], known: LastChanges) -> LastChanges:
    """Return the last changes of the files in *root*; *known* are those of an earlier call."""
    asked = ("rev-parse", "HEAD", "--is-shallow-repository", "--show-prefix")
    answer = git_output(root, environ, asked).removesuffix("\n").split("\n", 2)
    if len(answer) != 3:
        return LastChanges()
    sha, shallow, prefix = answer
    head = f"{sha} {shallow} {prefix}"
    if head == known.head:
        commits, found = known.commits, {path: file.object_id for path, file in known.files.items()}
        places = {path: file.commit for path, file in known.files.items()}
    else:
        found = _files_of(root, environ, sha)
        fields = git_fields(root, environ, (*_LOG, sha, "--", "."), MOST_SECONDS)
        of_files = _commits_of(fields, found, prefix, is_shallow=shallow != "false")
        commits = tuple(dict.fromkeys(of_files.values()))
        numbers = {commit: number for number, commit in enumerate(commits)}
        places = {path: numbers[commit] for path, commit in of_files.items()}
    edited = _edited(root, environ, {path: found[path] for path in places})
    return LastChanges(
        head if is_text(head) else "",
        commits,
        {path: FileChange(place, found[path], edited[path]) for path, place in sorted(places.items())},
    )


def _files_of(root: Path, environ: Mapping[str, str], sha: str) -> dict[str, str]:
    """Return the ids of the contents of the project's files at the commit *sha*, by path below *root*."""
    found = {}
    for line in git_output(root, environ, ("ls-tree", "-r", "-z", sha)).split("\0"):
        details, _, path = line.partition("\t")
        fields = details.split()
        parts = PurePosixPath(path).parts
        is_code = path.lower().endswith(_SUFFIXES) and NOT_CODE.isdisjoint(parts) and ".." not in parts
        if len(fields) == 3 and fields[0] in _FILE_MODES and is_code and is_text(path):
            found[path] = fields[2]
    return found


def _commits_of(
    fields: Iterator[str], files: Mapping[str, str], prefix: str, *, is_shallow: bool
) -> dict[str, FileCommit]:
    """Return the last commit of each of *files* that *fields*, git's output, contain.

    *files* are the ids of their contents at HEAD, by path below the folder *prefix* of the repository.
    """
    found: dict[str, FileCommit] = {}
    waiting = {f"{prefix}{path}": path for path in files}
    commit: FileCommit | None = None
    for field in fields:
        start = field.lstrip("\n")
        if not start:
            continue
        if not start.startswith(":"):
            commit = _commit(start, fields, is_shallow=is_shallow)
            continue
        path = waiting.get(next(fields, ""))
        if path is None or _content_after(start) != files[path]:
            continue
        del waiting[f"{prefix}{path}"]
        if commit is not None:
            found[path] = commit
        if not waiting:
            break
    return found


def _commit(sha: str, fields: Iterator[str], *, is_shallow: bool) -> FileCommit | None:
    """Return the commit in the next *fields*; None if it may only be where a shallow clone begins."""
    parents, at, author, subject = (next(fields, "") for _ in range(4))
    if is_shallow and not parents:
        return None
    return FileCommit(sha, int(at) if at.isdecimal() else None, _stored(author), _stored(subject))


def _content_after(entry: str) -> str:
    """Return the id of the content after a commit of a line `:MODE MODE ID ID STATUS`.

    A merge has a colon, a mode and an id more for each further parent.
    """
    fields = entry.lstrip(":").split(" ")
    place = 2 * (len(entry) - len(entry.lstrip(":"))) + 1
    return fields[place] if place < len(fields) else ""


def _edited(root: Path, environ: Mapping[str, str], files: Mapping[str, str]) -> dict[str, bool | None]:
    """Return whether each of *files*, with its content at HEAD, was edited since."""
    found = {path: _is_edited(root / path, object_id) for path, object_id in files.items()}
    in_doubt = [path for path, is_edited in found.items() if is_edited]
    # Only git knows whether a filter, such as that of LFS, makes the difference.
    for path in _filtered(root, environ, in_doubt):
        found[path] = None
    return found


def _is_edited(path: Path, object_id: str) -> bool | None:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            return None
        return not _is_content(path.read_bytes(), object_id)
    except OSError:
        return None


def _filtered(root: Path, environ: Mapping[str, str], paths: Iterable[str]) -> set[str]:
    """Return those of *paths* that git stores with other content than that of the file."""
    given = "".join(f"{path}\0" for path in paths)
    if not given:
        return set()
    asked = ("check-attr", "-z", "--stdin", *_ATTRIBUTES)
    fields = git_output(root, environ, asked, given=given).split("\0")[:-1]
    if not fields:
        return set(given.split("\0")[:-1])
    return {path for path, value in zip(fields[::3], fields[2::3], strict=False) if value not in _PLAIN}


def _is_content(data: bytes, object_id: str) -> bool:
    """Return True if git would store *data*, as an editor or a checkout may write it, under *object_id*."""
    mark = b"\xef\xbb\xbf"
    texts = (data, data.replace(b"\r\n", b"\n"))
    # An editor removes the mark at the start.
    return any(_object_id(start + text, object_id) == object_id for start in (b"", mark) for text in texts)


def _object_id(data: bytes, like: str) -> str:
    kind = sha1 if len(like) == _SHA1_LENGTH else sha256
    return kind(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _stored(text: str) -> str:
    return os.fsencode(text).decode("utf-8", "replace")[:LONGEST]


def _write(place: Path, data: bytes) -> None:
    """Write *data* to *place* at once, because the server may read it."""
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=place.name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).replace(place)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
