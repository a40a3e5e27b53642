"""Commands of dbt that read a project: `deps` and `parse`, never one that compiles or runs.

A command is argv with a complete environment, and the folders it may read and write; a sandbox wraps it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from recce_meta.errors import ConfigurationError
from recce_meta.repositories.extraction.dbt.profile import DbtProfile
from recce_meta.repositories.extraction.dbt.project import DbtProject, path_text
from recce_meta.repositories.extraction.dbt.versions import RUST, is_before, is_satisfied
from recce_meta.repositories.processes import ProcessLimits, memory_limit
from recce_meta.repositories.state.requests import RESERVED

_MEMORY = memory_limit(8 * 2**30)
PARSE_LIMITS = ProcessLimits(seconds=900, memory=_MEMORY, processes=256, file_size=2**30)
DEPS_LIMITS = ProcessLimits(seconds=300, memory=_MEMORY, processes=256, file_size=2**29)
_FIRST_WITH_CLICK = 5
"""Before dbt 1.5, global options come before the command, and paths of output are variables."""
_FIRST_WITH_PATHS = 2
"""Before dbt 1.2, artifacts are written into the project only."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
TARGET = "target"
"""Folder of artifacts in the output folder."""


class DbtCommand(Struct, frozen=True, kw_only=True):
    """A command of dbt, and what it needs."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    """The complete environment."""
    cwd: Path
    read_only: tuple[Path, ...]
    writable: Path
    """The only folder that it writes to."""
    target: Path
    """Folder of artifacts, in `writable`."""
    is_online: bool
    limits: ProcessLimits
    secrets: Mapping[Path, str] = {}
    """Content of files of `read_only` that exist while the command runs."""


class InstalledDbt(Struct, frozen=True, kw_only=True):
    """dbt in an environment or an image."""

    argv: tuple[str, ...]
    """Command that starts it."""
    minor: str
    version: str
    adapter: str
    adapter_version: str
    read_only: tuple[Path, ...] = ()
    """Folders of this machine that it needs."""


class PackageAccess(Struct, frozen=True, kw_only=True):
    """How `dbt deps` reaches the servers of packages."""

    git_config: Path
    """Configuration file of git, which may have a token: templates can read variables, but no file."""
    git_settings: str | None = None
    """Content of the file, which exists while `dbt deps` runs; None for a file that is there."""
    env: Mapping[str, str] = {}
    """Variables for proxies and certificates."""
    hub: str | None = None
    """Address of the hub of packages; dbt's own if None."""
    certificates: tuple[Path, ...] = ()
    """Files and folders that the variables name."""


def check_variables(variables: Mapping[str, str]) -> None:
    """Raise ConfigurationError if a variable of a connection has an invalid name, or one of the system."""
    for name, value in variables.items():
        if _NAME.fullmatch(name) is None or "\0" in value:
            raise ConfigurationError(f"'{name}' is not a valid environment variable")
        if RESERVED.fullmatch(name.upper()):
            raise ConfigurationError(
                f"The variable '{name}' is reserved", hint="remove it from the variables of the connection"
            )


def dbt_environment(out: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the complete environment of a command that writes to *out*, with the connection's *variables*.

    Raises ConfigurationError as `check_variables`.
    """
    check_variables(variables)
    return {
        # First, so that none of them replaces a setting below.
        **variables,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(out),
        "TMPDIR": str(out / "tmp"),
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        # From the state of another commit, dbt loses tests whose model was missing or disabled there.
        "DBT_PARTIAL_PARSE": "false",
        "DBT_TARGET_PATH": str(out / TARGET),
        "DBT_LOG_PATH": str(out / "logs"),
    }


def deps_command(
    dbt: InstalledDbt,
    folder: Path,
    profile: DbtProfile,
    out: Path,
    *,
    variables: Mapping[str, str],
    access: PackageAccess,
    limits: ProcessLimits = DEPS_LIMITS,
) -> DbtCommand:
    """Return `dbt deps`.

    *folder*, in *out*, was made by `prepare_deps`. The command writes to *out*, which is created. *variables*
    are those of the connection; *access* has the settings of git, the hub, proxies and certificates. Raises
    ConfigurationError if a variable is invalid.
    """
    env = {
        **dbt_environment(out, variables),
        **access.env,
        "GIT_TERMINAL_PROMPT": "0",
        # A package could otherwise name a local path, or a program with `ext::`.
        "GIT_ALLOW_PROTOCOL": "https",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(access.git_config),
    }
    if access.hub is not None:
        env["DBT_PACKAGE_HUB_URL"] = access.hub
    return DbtCommand(
        argv=_argv(dbt, "deps", ["--project-dir", str(folder), "--profiles-dir", str(profile.folder)], out),
        env=env,
        cwd=_working_folder(out),
        # Without the checkout: a package's template must not send files of the repository away.
        read_only=(*dbt.read_only, profile.folder, access.git_config, *access.certificates),
        writable=out,
        target=out / TARGET,
        is_online=True,
        limits=limits,
        secrets={} if access.git_settings is None else {access.git_config: access.git_settings},
    )


def parse_command(
    dbt: InstalledDbt,
    project: DbtProject,
    clone: Path,
    profile: DbtProfile,
    out: Path,
    *,
    variables: Mapping[str, str],
    limits: ProcessLimits = PARSE_LIMITS,
) -> DbtCommand:
    """Return `dbt parse`, without network, of a project whose packages are installed.

    The version is checked by dbt, unless only the patch version differs from `require-dbt-version`.

    *clone* is the folder of the repository. The command writes to *out*, which is created. *variables* are
    those of the connection. Raises ConfigurationError if a variable is invalid.
    """
    folder, target = project.folder, out / TARGET
    if is_before(dbt.minor, _FIRST_WITH_PATHS):
        folder, target = _copy(project, clone, out, variables)
    options = ["--project-dir", str(folder), "--profiles-dir", str(profile.folder)]
    # By name, because `profile:` of the project may be a template.
    options += ["--profile", profile.name, "--target", profile.target]
    return DbtCommand(
        argv=_argv(
            dbt, "parse", options, out, is_version_checked=is_satisfied(dbt.version, project.requires)
        ),
        env=dbt_environment(out, variables),
        cwd=_working_folder(out),
        read_only=(*dbt.read_only, clone, profile.folder),
        writable=out,
        target=target,
        is_online=False,
        limits=limits,
    )


def _argv(
    dbt: InstalledDbt, command: str, options: Sequence[str], out: Path, *, is_version_checked: bool = True
) -> tuple[str, ...]:
    colors = [] if dbt.minor == RUST else ["--no-use-colors"]
    check = [] if is_version_checked or dbt.minor == RUST else ["--no-version-check"]
    if is_before(dbt.minor, _FIRST_WITH_CLICK):
        own = ["--write-manifest"] if command == "parse" else []
        return (*dbt.argv, "--no-anonymous-usage-stats", *colors, *check, command, *options, *own)
    paths = ["--log-path", str(out / "logs")]
    if command == "parse":
        paths += ["--target-path", str(out / TARGET)]
    return (*dbt.argv, command, *options, *paths, "--no-send-anonymous-usage-stats", *colors, *check)


def _copy(project: DbtProject, clone: Path, out: Path, environ: Mapping[str, str]) -> tuple[Path, Path]:
    """Copy *clone* into *out*; return the folders of the project and of its artifacts there."""
    shutil.copytree(clone, out / "clone", symlinks=True, ignore=shutil.ignore_patterns(".git"))
    folder = out / "clone" / project.folder.relative_to(clone.absolute())
    key = "target-path"
    return folder, folder / path_text(project.content.get(key, TARGET), project.file, [key], environ)


def _working_folder(out: Path) -> Path:
    """Return a folder to start dbt in. dbt 1.12 looks for `.env` there and in all folders above."""
    for folder in (out, out / "tmp", out / TARGET):
        folder.mkdir(parents=True, exist_ok=True)
    # An empty file here ends the search before it finds one of the worker.
    (out / ".env").touch()
    return out
