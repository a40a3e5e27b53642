"""dbt project of a repository, read as data: no template runs, and no program."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from recce_meta.errors import ConfigurationError
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.profiles.yaml_file import line_of, read_mapping
from recce_meta.repositories.extraction.dbt.profile import AdapterGuess, guess_adapter
from recce_meta.repositories.state.requests import RESERVED

PACKAGES_FILES = ("packages.yml", "dependencies.yml")
"""Files that name packages; dbt takes those of the first that has any."""
LOCK_FILE = "package-lock.yml"
DEFAULT_INSTALL_PATH = "dbt_packages"
_READ_PATHS = (
    "model-paths", "macro-paths", "seed-paths", "test-paths", "snapshot-paths", "analysis-paths",
    "docs-paths", "asset-paths", "function-paths", "source-paths", "data-paths",
)  # fmt: skip
"""Settings of folders that dbt reads; the last two are of dbt 0.21 and before."""
_WRITTEN_PATHS = ("target-path", "log-path", "clean-targets")
"""Settings of folders that some commands of dbt write or remove."""
_INSTALL_PATHS = ("packages-install-path", "modules-path")
"""Settings of the folder of packages; the second is that of dbt before 1.0."""
_ENV_VAR = re.compile(r"""\{\{-?\s*env_var\(\s*(['"])(\w+)\1\s*(?:,\s*(['"])([^'"{}]*)\3\s*)?\)\s*-?\}\}""")
"""The only template in a path whose value is certain without running it."""
_LONGEST_FILE = 4 * 2**20


class PackageEntry(Struct, frozen=True, kw_only=True):
    """An entry of `packages:`."""

    file: Path
    index: int
    """Position in the file, from 0."""
    entry: Mapping[str, object]

    @property
    def local(self) -> object:
        """Path of a local package; None for others."""
        return self.entry.get("local")

    @property
    def urls(self) -> Mapping[str, object]:
        """Addresses that `dbt deps` may fetch the package from, by `git` or `tarball`; the hub has none."""
        return {key: self.entry[key] for key in ("git", "tarball") if self.entry.get(key) is not None}


class DbtProject(Struct, frozen=True, kw_only=True):
    """Facts of dbt_project.yml and of the files in its folder."""

    folder: Path
    name: str
    profile: str | None
    """Name of its profile; None if it is missing or a template."""
    requires: tuple[str, ...]
    """Terms of `require-dbt-version`, of which all have to hold."""
    content: Mapping[str, object]
    """dbt_project.yml as it is."""
    packages: tuple[PackageEntry, ...]
    lock_file: Path | None
    guess: AdapterGuess
    """Adapter, and where it was found."""

    @property
    def file(self) -> Path:
        """dbt_project.yml."""
        return self.folder / PROJECT_FILE

    @property
    def packages_digest(self) -> str | None:
        """SHA-256 of the lock file, else of the entries of packages; None without packages."""
        if not self.packages:
            return None
        digest = hashlib.sha256()
        for path in (self.lock_file, *sorted({package.file for package in self.packages})):
            digest.update(b"\0" if path is None else path.read_bytes())
        return digest.hexdigest()


def read_dbt_project(folder: Path, *, clone: Path | None = None) -> DbtProject:
    """Read the project in *folder*, which is below *clone*, the folder of the repository.

    Raises ConfigurationError, with file and line if they are known, if a file is missing or invalid.
    """
    folder = folder.absolute()
    path = folder / PROJECT_FILE
    content = _read(path)
    name, profile = content.get("name"), content.get("profile")
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"No 'name:' in {path}")
    packages = tuple(_packages(folder))
    return DbtProject(
        folder=folder,
        name=name,
        profile=profile if isinstance(profile, str) and "{" not in profile else None,
        requires=_requires(content, path),
        content=content,
        packages=packages,
        lock_file=folder / LOCK_FILE if (folder / LOCK_FILE).is_file() else None,
        guess=guess_adapter(
            folder, (clone or folder).absolute(), content, [package.entry for package in packages]
        ),
    )


def install_path(project: DbtProject, environ: Mapping[str, str]) -> Path:
    """Return the folder of installed packages; *environ* is the environment that dbt will get.

    Raises ConfigurationError if the setting is a template other than `env_var` or leaves the project.
    """
    key = "packages-install-path"
    if project.content.get(key) is None:
        # The name before dbt 1.0.
        key = "modules-path"
    value = project.content.get(key)
    if value is None:
        return project.folder / DEFAULT_INSTALL_PATH
    text = path_text(value, project.file, [key], environ)
    return _inside(project.folder, project.folder, text, project.file, [key], is_strict=True)


def has_installed_packages(project: DbtProject, environ: Mapping[str, str]) -> bool:
    """Return True if the repository contains installed packages.

    Raises ConfigurationError as `install_path`.
    """
    return any(install_path(project, environ).glob(f"*/{PROJECT_FILE}"))


def path_text(value: object, file: Path, keys: Sequence[str | int], environ: Mapping[str, str]) -> str:
    """Return the text of a path in *file*, with `env_var` replaced.

    Raises ConfigurationError if it is not text, or is any other template, whose value is known only to dbt.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"{where(file, keys)} is not a path")

    def replace(found: re.Match[str]) -> str:
        # dbt would read the value of the sandbox, which differs from the one checked here.
        if RESERVED.fullmatch(found[2].upper()):
            raise ConfigurationError(
                f"{where(file, keys)} reads the reserved variable '{found[2]}'", hint="use another variable"
            )
        text = environ.get(found[2], found[4])
        if text is None:
            raise ConfigurationError(
                f"{where(file, keys)} needs the environment variable '{found[2]}'",
                hint=f"set {found[2]} in the variables of the connection",
            )
        return text

    text = _ENV_VAR.sub(replace, value)
    if "{{" in text or "{%" in text or "{#" in text or "\0" in text:
        raise ConfigurationError(
            f"{where(file, keys)} is a template: '{value}'", hint="write the path itself, or a single env_var"
        )
    return text


def where(file: Path, keys: Sequence[str | int]) -> str:
    """Return the position of a setting, such as `dbt_project.yml:7: model-paths`."""
    line = line_of(file, keys)
    name = ".".join(str(key) for key in keys if isinstance(key, str))
    return f"{file.name}:{line}: {name}" if line else f"{file.name}: {name}"


def _inside(
    root: Path, base: Path, text: str, file: Path, keys: Sequence[str | int], *, is_strict: bool = False
) -> Path:
    """Return *text* as a path below *base*, which has to be in *root*, or below it if *is_strict*."""
    # `..` and links count, which a comparison of texts would miss.
    found = (base / text).resolve()
    inside = root.resolve()
    is_inside = found.is_relative_to(inside) and ".git" not in found.relative_to(inside).parts
    if not is_inside or (is_strict and found == inside):
        raise ConfigurationError(
            f"{where(file, keys)} leaves the {'project' if is_strict else 'repository'}: '{text}'",
            hint="paths of a connected project stay inside it",
        )
    return found


def refuse_escapes(clone: Path, project: DbtProject, environ: Mapping[str, str]) -> None:
    """Check that no setting or link of the project and its packages leads out of the repository.

    Folders that dbt writes to have to be in the project, those that it reads and local packages in *clone*,
    and so do the targets of all symbolic links. *environ* is the environment that dbt will get. Raises
    ConfigurationError that names file and line.
    """
    _refuse_links(clone)
    _refuse_paths(clone, project.folder, project.file, project.content, environ)
    for folder in local_folders(clone, project, environ):
        path = folder / PROJECT_FILE
        _refuse_paths(clone, folder, path, _read(path), environ)
    for path in sorted(install_path(project, environ).glob(f"*/{PROJECT_FILE}")):
        refuse_package_escapes(path.parent, environ)


def refuse_package_escapes(folder: Path, environ: Mapping[str, str]) -> None:
    """Check that no setting or link of an installed package leads out of its *folder*.

    Raises ConfigurationError that names file and line.
    """
    _refuse_links(folder)
    path = folder / PROJECT_FILE
    _refuse_paths(folder, folder, path, _read(path), environ)


def local_folders(clone: Path, project: DbtProject, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders of local packages, and of those that they need, which dbt seeks from the project.

    Raises ConfigurationError if one is missing, or leaves *clone*.
    """
    found: dict[Path, None] = {}
    waiting = list(project.packages)
    while waiting:
        package = waiting.pop()
        if package.local is None:
            continue
        keys: list[str | int] = ["packages", package.index, "local"]
        text = path_text(package.local, package.file, keys, environ)
        folder = _inside(clone, project.folder, text, package.file, keys)
        if not (folder / PROJECT_FILE).is_file():
            raise ConfigurationError(f"{where(package.file, keys)} has no {PROJECT_FILE}: '{text}'")
        # Local packages can name each other in a circle.
        if folder not in found:
            found[folder] = None
            waiting += _packages(folder)
    return tuple(found)


def fetched_packages(
    clone: Path, project: DbtProject, environ: Mapping[str, str]
) -> tuple[PackageEntry, ...]:
    """Return the packages that files of *clone* let `dbt deps` fetch.

    They are those of the project, of its lock file, and of local packages. Raises ConfigurationError as
    `local_folders`.
    """
    files = [folder / name for folder in local_folders(clone, project, environ) for name in PACKAGES_FILES]
    files += [project.folder / name for name in (*PACKAGES_FILES, LOCK_FILE)]
    return tuple(package for file in files for package in _packages_of(file))


def _refuse_paths(
    root: Path, folder: Path, path: Path, content: Mapping[str, object], environ: Mapping[str, str]
) -> None:
    for setting in (*_READ_PATHS, *_WRITTEN_PATHS):
        given = content.get(setting)
        for number, value in enumerate(given if isinstance(given, list) else [given]):
            keys: list[str | int] = [setting, number] if isinstance(given, list) else [setting]
            if value is None:
                continue
            text = path_text(value, path, keys, environ)
            is_written = setting in _WRITTEN_PATHS
            _inside(folder if is_written else root, folder, text, path, keys, is_strict=is_written)


def _refuse_links(root: Path) -> None:
    """Check that every symbolic link below *root* leads to a place in it."""
    for path in _leaving_links(root):
        raise ConfigurationError(
            f"The symbolic link {path.relative_to(root.resolve())} leaves the repository",
            hint="replace the link by a file",
        )


def remove_leaving_links(checkout: Path) -> None:
    """Remove the symbolic links that lead out of *checkout*, which our own reader would follow."""
    for path in _leaving_links(checkout):
        path.unlink()


def _leaving_links(root: Path) -> Iterator[Path]:
    """Yield the symbolic links below *root*, but for those of `.git`, that lead out of it."""
    inside = root.resolve()
    for place, folders, names in os.walk(inside):
        if ".git" in folders:
            folders.remove(".git")
        for name in (*folders, *names):
            path = Path(place, name)
            # Unlike `resolve`, it accepts links in a circle.
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside):
                yield path


def refuse_outer_folders(checkout: Path, environ: Mapping[str, str]) -> None:
    """Check that no dbt_project.yml in *checkout* lets our own reader read a folder outside it.

    Raises ConfigurationError that names file and line.
    """
    for place, _, names in os.walk(checkout):
        path = Path(place, PROJECT_FILE)
        if PROJECT_FILE not in names:
            continue
        try:
            content = read_mapping(path, ConfigurationError)
        except ConfigurationError:
            continue  # the reader cannot read it either
        for setting in _READ_PATHS:
            given = content.get(setting)
            for number, value in enumerate(given if isinstance(given, list) else [given]):
                # The reader renders none of these.
                if value is not None:
                    keys: list[str | int] = [setting, number] if isinstance(given, list) else [setting]
                    _inside(checkout, path.parent, str(value), path, keys)
        for setting in _INSTALL_PATHS:
            if (value := content.get(setting)) is not None:
                text = path_text(value, path, [setting], environ)
                _inside(checkout, path.parent, text, path, [setting])


def _read(path: Path) -> Mapping[str, object]:
    if path.is_symlink() or not path.is_file():
        raise ConfigurationError(
            f"No {path.name} in {path.parent}", hint="set the subdirectory of the project"
        )
    if path.stat().st_size > _LONGEST_FILE:
        raise ConfigurationError(f"{path} is larger than {_LONGEST_FILE:,} bytes")
    return read_mapping(path, ConfigurationError)


def _requires(content: Mapping[str, object], path: Path) -> tuple[str, ...]:
    given = content.get("require-dbt-version")
    if given is None:
        return ()
    terms = given if isinstance(given, list) else [given]
    if not all(isinstance(term, (str, float, int)) for term in terms):
        raise ConfigurationError(f"{where(path, ['require-dbt-version'])} is neither text nor a list")
    return tuple(str(term) for term in terms)


def _packages(folder: Path) -> Iterator[PackageEntry]:
    """Yield the packages of the first file that has any."""
    for name in PACKAGES_FILES:
        if packages := _packages_of(folder / name):
            yield from packages
            return


def _packages_of(path: Path) -> list[PackageEntry]:
    if not path.is_file() or path.is_symlink():
        return []
    return [PackageEntry(file=path, index=n, entry=entry) for n, entry in enumerate(_entries(path))]


def _entries(path: Path) -> list[Mapping[str, object]]:
    try:
        given = _read(path).get("packages")
    except ConfigurationError as error:
        if error.message.endswith("is empty"):
            return []
        raise
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(entry, Mapping) for entry in given):
        raise ConfigurationError(f"{where(path, ['packages'])} is not a list of packages")
    return given
