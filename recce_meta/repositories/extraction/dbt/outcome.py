"""Outcome of a command of dbt: its failure, classified, or the manifest that it has written."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from recce_meta.errors import ArtifactError, shorten
from recce_meta.redaction import without_colors
from recce_meta.repositories.extraction.dbt.commands import DbtCommand
from recce_meta.repositories.processes import Completed
from recce_meta.repositories.state.types import DbtFailure

MANIFEST = "manifest.json"
LARGEST_MANIFEST = 2**29
"""Bytes; the manifest of 5,000 models has about 50 MB."""
_MESSAGE_LENGTH = 600
_PIECE = 2**20


class DbtFailed(ArtifactError):
    """A command of dbt that failed; `failure` says why, and *can_retry* whether the same may work later."""

    def __init__(self, failure: DbtFailure, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.failure = failure

    @property
    def can_retry(self) -> bool:
        """True if the cause may heal by itself."""
        return self.failure in (DbtFailure.HUB, DbtFailure.DISK, DbtFailure.CHECKOUT)


def is_full_disk(text: str) -> bool:
    """Return True if *text*, of an error or what a program printed, names a full disk."""
    return re.search(FULL_DISK, text) is not None


class TakenManifest(Struct, frozen=True, kw_only=True):
    """A manifest that was copied out of the folder that dbt writes to."""

    path: Path
    size: int
    digest: str
    """SHA-256."""


_VARIABLE = re.compile(
    r"Env var required but not provided: '(?P<name>[^']*)'|environment variable '(?P<rust>[^']*)' not found"
)
_PLACE = re.compile(r"(?:-->|in) [^\n(]*?\(?(?P<file>[\w./ -]+\.(?:sql|ya?ml|py|csv|md))(?::(?P<line>\d+))?")
FULL_DISK = r"No space left on device|Disk quota exceeded|ENOSPC|os error 28"
"""Signs of a full disk in what programs print."""
_RULES: tuple[tuple[DbtFailure, str, str | None], ...] = (
    (DbtFailure.DISK, FULL_DISK, "make room on the disk of the worker; the job is repeated later"),
    (
        DbtFailure.CHECKOUT,
        # At the very beginning, where no file of a project can print anything.
        r"\A\s*Usage: dbt parse \[OPTIONS\]\s+Try 'dbt parse --help' for help\.\s+"
        r"Error: Invalid value for '--project-dir': ",
        "build the image again (recce-meta runner build), or choose a folder that every user can enter with "
        "--work-dir, such as /var/lib/recce-meta",
    ),
    (
        DbtFailure.VERSION,
        r"This version of dbt is not supported",
        "set the dbt version of the connection to one that project and packages accept",
    ),
    (
        DbtFailure.PACKAGE,
        r"requested URL returned error: 30\d",
        "redirects are not followed: name the address that the server has now, with .git at its end",
    ),
    (
        DbtFailure.HUB,
        r"External connection exception|hub\.getdbt\.com|Could not resolve host|Failed to get index"
        r"|Failed to connect to \S+ port|Connection timed out|unable to access '",
        "the job is repeated later; commit dbt_packages to need no network",
    ),
    (
        DbtFailure.PACKAGE,
        r"only \d+ package\(s\) installed|found only \d+ package|was not found in the package index"
        r"|Could not find a matching compatible version|not found in package index|Error checking out spec"
        r"|Error cloning|Cloning into|could not read Username|Repository not found"
        r"|Could not find local package|no dbt_project\.yml found at expected path|Version error for package",
        "check the packages of the project, and whether they need a token",
    ),
    (
        DbtFailure.CONNECTION,
        r"Database Error|250001|[Ff]ailed to connect|could not connect to server|Connection refused"
        r"|NameResolutionError|Max retries exceeded|Could not connect",
        "the adapter connects while it parses: set another dbt version for the connection",
    ),
    (
        DbtFailure.PROFILE,
        r"Credentials in profile|Could not find profile named|Profile loading failed"
        r"|Could not find adapter type|dbt1005|Runtime Error\n\s*Invalid profile",
        "check adapter, target, schema and database of the connection",
    ),
    (
        DbtFailure.COMPILATION,
        r"(?:Compilation|Parsing|Validation|Dependency|Schema|Duplicate\w*) Error|\[error\]|YAML|Jinja",
        None,
    ),
)
"""Signs of each kind in what dbt prints; the first that matches counts."""


def check_completed(completed: Completed, command: DbtCommand) -> None:
    """Raise DbtFailed, with the cause and the file if dbt names it, unless the command has succeeded."""
    name = _name(command)
    text = without_colors(f"{completed.output}\n{completed.errors}")
    if completed.is_late:
        raise DbtFailed(
            DbtFailure.TIME,
            f"dbt {name} took more than {command.limits.seconds:,.0f} seconds",
            hint="remove what takes so long, or raise the limit of the workers",
        )
    if completed.excess == "cpu_seconds":
        raise DbtFailed(
            DbtFailure.TIME,
            f"dbt {name} took more than {command.limits.cpu_seconds:,.0f} seconds of CPU",
            hint="remove what takes so long, or raise --parse-cpu or --deps-cpu of the workers",
        )
    if completed.is_verbose:
        raise DbtFailed(DbtFailure.OUTPUT, f"dbt {name} printed too much, and was stopped")
    if completed.excess == "memory":
        raise DbtFailed(DbtFailure.MEMORY, f"dbt {name} needs more memory than its limit")
    if completed.excess is not None:
        what = completed.excess.replace("_", " ")
        raise DbtFailed(DbtFailure.OTHER, f"dbt {name} exceeded its limit of {what}, and was stopped")
    if completed.code == 0:
        return
    if "MemoryError" in text or "Cannot allocate memory" in text or "memory allocation of" in text:
        raise DbtFailed(DbtFailure.MEMORY, f"dbt {name} needs more memory than its limit")
    if completed.code in (126, 127) or _does_not_start(text):
        raise DbtFailed(
            DbtFailure.ENVIRONMENT,
            f"dbt does not start: {_shown(text) or f'exit code {completed.code}'}",
            hint="the environment is built again for the next job",
        )
    if completed.code < 0:
        raise DbtFailed(DbtFailure.OTHER, f"dbt {name} was ended by signal {-completed.code}")
    raise _classified(command, text, completed.code)


def take_manifest(command: DbtCommand, destination: Path, *, most: int = LARGEST_MANIFEST) -> TakenManifest:
    """Copy the manifest of a command that succeeded into the folder *destination*.

    Links are not followed, and only a regular file is read. Raises DbtFailed if there is none, or it has more
    than *most* bytes; OSError if the disk is full.
    """
    destination.mkdir(parents=True, exist_ok=True)
    path, digest = destination / MANIFEST, hashlib.sha256()
    try:
        with _regular_file(command, MANIFEST) as source, path.open("wb") as copy:
            # Of the open file: the path may name another one by now.
            size = os.fstat(source).st_size
            if size > most:
                raise DbtFailed(
                    DbtFailure.MANIFEST, f"The manifest has {size:,} bytes; the limit is {most:,} bytes"
                )
            while piece := os.read(source, _PIECE):
                digest.update(piece)
                copy.write(piece)
    except OSError as error:
        if is_full_disk(str(error)):
            raise
        raise DbtFailed(
            DbtFailure.MANIFEST,
            f"dbt {_name(command)} succeeded without a readable manifest: {error.strerror or error}",
        ) from error
    return TakenManifest(path=path, size=size, digest=digest.hexdigest())


@contextmanager
def _regular_file(command: DbtCommand, name: str) -> Iterator[int]:
    """Yield a descriptor of an artifact; raise OSError if it, or a folder above it, is anything else."""
    file = os.open(command.writable, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in command.target.relative_to(command.writable).parts:
            file = _enter(file, part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        # Opening a FIFO would otherwise wait for a writer forever.
        file = _enter(file, name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError("not a regular file")
        yield file
    finally:
        os.close(file)


def _enter(folder: int, name: str, flags: int) -> int:
    """Open an entry of *folder*, and close *folder*."""
    entered = os.open(name, flags, dir_fd=folder)
    os.close(folder)
    return entered


def _name(command: DbtCommand) -> str:
    return "deps" if command.is_online else "parse"


_TIME = re.compile(r"^\d\d:\d\d:\d\d(?:\.\d+)?\s+", re.M)


def _does_not_start(text: str) -> bool:
    """Return True for an error of Python before dbt has said anything."""
    is_import = re.search(r"^(?:ModuleNotFoundError|ImportError): ", text, re.M) is not None
    return is_import and "Running with dbt" not in text


def _classified(command: DbtCommand, text: str, code: int) -> DbtFailed:
    name = _name(command)
    variable = _VARIABLE.search(text)
    if variable is not None:
        missing = variable["name"] or variable["rust"]
        return DbtFailed(
            DbtFailure.VARIABLE,
            f"The project needs the environment variable '{missing}'",
            hint=f"set {missing} in the variables of the connection",
        )
    shown = _shown(text) or f"exit code {code}"
    for failure, signs, hint in _RULES:
        if re.search(signs, text):
            return DbtFailed(failure, f"dbt {name} failed: {shown}", hint=hint or _place(command, text))
    return DbtFailed(DbtFailure.OTHER, f"dbt {name} failed: {shown}")


def _place(command: DbtCommand, text: str) -> str | None:
    """Return a hint that names the file of a failure, relative to the repository."""
    found = _PLACE.search(_after_start(text))
    if found is None:
        return None
    path = Path(os.path.normpath(command.cwd / found["file"].strip()))
    folders = [folder for folder in command.read_only if path.is_relative_to(folder)]
    shown = path.relative_to(folders[0]).as_posix() if folders else found["file"].strip()
    return f"see {shown}" + (f":{found['line']}" if found["line"] else "")


def _after_start(text: str) -> str:
    """Return what dbt says of the error, without times, tracebacks and what comes before."""
    plain = _TIME.sub("", text).partition("\nTraceback (most recent call last)")[0]
    for mark in ("Encountered an error:", "[error]"):
        _, found, after = plain.partition(mark)
        if found:
            return after if mark.startswith("E") else found + after
    return plain


def _shown(text: str) -> str:
    lines = (line.strip() for line in _after_start(text).partition("\n====")[0].splitlines())
    return shorten(" ".join(line for line in lines if line), _MESSAGE_LENGTH)
