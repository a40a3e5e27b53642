"""Inputs of a dbt project, read once from its files: settings, properties, macros and code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.errors import ConfigurationError
from recce_meta.extractors.jinja import Block, ProjectMacros, blocks_of, broken_block
from recce_meta.extractors.sql_project.files import (
    DbtRefusal,
    SourceFile,
    TargetSchema,
    find_files,
    read_files,
)
from recce_meta.extractors.sql_project.settings import (
    PACKAGE_FILES,
    DbtProjectFile,
    Properties,
    Variable,
    read_properties,
    read_settings,
)
from recce_meta.models import MacroMetadata, code_hash
from recce_meta.profiles import ProjectSettings
from recce_meta.profiles.discovery import PROJECT_FILE

VERSION = 15
"""Version of this reader: increment it with every change of the result, so that old nodes are not reused."""
INSTALLED = ("dbt_packages", "dbt_modules")
"""Folders of installed packages, by the version of dbt."""
_SNAPSHOT = re.compile(r"\{%-?\s*snapshot\s+(\w+)")


class PackageFiles(Struct, frozen=True, kw_only=True):
    """Files of one package: the project itself, or an installed package."""

    settings: DbtProjectFile
    properties: Properties
    folder: str
    """Folder relative to the project; empty for the project itself."""
    models: list[SourceFile]
    snapshots: list[SourceFile]
    analyses: list[SourceFile]
    tests: list[SourceFile]
    functions: list[SourceFile]
    seeds: list[tuple[str, Path]]

    @property
    def name(self) -> str:
        """Return the package's name."""
        return self.settings.name


class Inputs(Struct, frozen=True, kw_only=True):
    """Files of the project and its installed packages, and their shared inputs."""

    packages: list[PackageFiles]
    """All packages, the project itself first."""
    has_all_packages: bool
    """True if each package that the files of the project list is certainly among them, as it is listed."""
    macros: tuple[MacroMetadata, ...]
    variables: ProjectSettings | None
    overrides: Mapping[str, Any]
    """Variables from the command line."""
    dialect: str | None
    target: Mapping[str, str]
    """Members of `target` that are known: none without a profile."""
    place: TargetSchema
    warnings: list[str]

    @property
    def root(self) -> PackageFiles:
        """Return the project itself."""
        return self.packages[0]

    @property
    def is_whole(self) -> bool:
        """Return True if no file was skipped so far: such a file may define more."""
        return not any("skipped" in text for text in self.warnings)

    @property
    def has_all_files(self) -> bool:
        """Return True if no file that may define more is missing."""
        return self.is_whole and self.has_all_packages

    def variable_of(self, package: str) -> Variable:
        """Return a function that looks up the variables of templates of *package*."""
        missing = object()

        def variable(name: str) -> tuple[bool, Any]:
            if name in self.overrides:
                return True, self.overrides[name]
            value = missing
            if self.variables is not None:
                value = self.variables.variable(name, package, missing)
            return (False, None) if value is missing else (True, value)

        return variable

    def library(self) -> ProjectMacros:
        """Return the library of macros that templates can call."""
        orders = self.variables.search_orders if self.variables is not None else None
        return ProjectMacros(
            self.macros, root=self.root.name, adapter_type=self.dialect, search_orders=orders
        )

    def fingerprint(self) -> str:
        """Return a digest that is equal if unchanged files still give the same nodes."""
        # Another version of the reader may read the same files differently.
        digest = sha256(
            f"{VERSION} {__version__} {self.dialect} {self.target} {self.place} {self.overrides}".encode()
        )
        for package in self.packages:
            # Separated by NUL, so that text cannot move from one part to another unnoticed.
            digest.update(f"\0{package.name}\0{package.settings.text}\0{package.properties.texts}".encode())
        for macro in self.macros:
            digest.update(f"\0{macro.unique_id}\0{macro.macro_sql}".encode("utf-8", "surrogatepass"))
        digest.update(repr(self.variables and self.variables.variables).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()[:32]


def read_package(settings: DbtProjectFile, folder: str, warnings: list[str]) -> PackageFiles:
    """Return the files of the package with *settings* in *folder*."""
    root, paths = settings.root, settings.paths

    def read(kind: str, *endings: str) -> list[SourceFile]:
        return read_files(root, paths[kind], endings or (".sql",), warnings)

    seeds = [
        (path.relative_to(root).as_posix(), path)
        for path in find_files(root, paths["seeds"], (".csv",), warnings)
        if path.is_relative_to(root)
    ]
    models = read("models", ".sql", ".py") if settings.text else list(_without_macros(read("models")))
    snapshots = read("snapshots")
    code = {("seeds", path.stem): "" for _, path in seeds}
    code |= {("models", file.name): file.text for file in models}
    code |= {("snapshots", name): file.text for file in snapshots for name in _SNAPSHOT.findall(file.text)}
    return PackageFiles(
        settings=settings,
        properties=read_properties(settings, code, warnings),
        folder=folder,
        models=models,
        snapshots=snapshots,
        analyses=read("analyses"),
        # Generic tests are macros.
        tests=[file for file in read("tests") if "generic" not in Path(file.path).parts],
        functions=read("functions", ".sql", ".py"),
        seeds=seeds,
    )


def _without_macros(files: list[SourceFile]) -> Iterator[SourceFile]:
    """Yield the *files* that contain more than macros."""
    for file in files:
        rest = file.text
        for block in blocks_of(rest):
            rest = rest.replace(block.text, "")
        if rest.strip():
            yield file


def read_macros(settings: DbtProjectFile, warnings: list[str]) -> Iterator[MacroMetadata]:
    """Yield the macros and generic tests in the macro folders of a package, and in `tests/generic`."""
    places = [*settings.paths["macros"], *(f"{folder}/generic" for folder in settings.paths["tests"])]
    first: dict[str, str] = {}
    for file in read_files(settings.root, places, (".sql",), warnings):
        # Installed packages are those of both sides.
        if settings.root.parent.name not in INSTALLED and (problem := broken_block(file.text)):
            warnings.append(DbtRefusal.of(file.path, f"{file.path}: {problem}"))
        for block in blocks_of(file.text):
            name = macro_name(block)
            if name is None:
                continue
            if first.setdefault(name, file.path) != file.path:
                twin = f"{file.path}: macro '{name}' is already defined in {first[name]}"
                warnings.append(DbtRefusal.of(file.path, twin))
            yield MacroMetadata(
                unique_id=f"macro.{settings.name}.{name}",
                name=name,
                package_name=settings.name,
                path=file.path,
                macro_sql=block.text,
                code_hash=code_hash(block.text),
            )


def macro_name(block: Block) -> str | None:
    """Return dbt's name of the macro that *block* defines; None for a block that defines none."""
    if block.kind == "materialization":
        adapter = _ADAPTER.search(block.text.partition("%}")[0])
        return f"materialization_{block.name}_{adapter[1] if adapter else 'default'}"
    prefix = {"macro": "", "test": "test_", "data_test": "test_"}.get(block.kind)
    return None if prefix is None else f"{prefix}{block.name}"


def with_calls(macros: Iterable[MacroMetadata]) -> tuple[MacroMetadata, ...]:
    """Return *macros*, one of each id, with the macros that they call, by name or through `dispatch`."""
    known = {macro.unique_id: macro for macro in macros}
    named: dict[str, list[str]] = defaultdict(list)
    for macro in known.values():
        # `dispatch('cents')` calls `default__cents` or that of an adapter.
        for name in {macro.name, macro.name.partition("__")[2] or macro.name}:
            named[name].append(macro.unique_id)
    found = []
    for macro in known.values():
        # Without `macro cents(`, which is not a call.
        names = {one or other for one, other in _CALLED.findall(macro.macro_sql.partition("(")[2])}
        called = {unique_id for name in names for unique_id in named.get(name, ())}
        found.append(replace(macro, macros=tuple(sorted(called - {macro.unique_id}))))
    return tuple(found)


_ADAPTER = re.compile(r"adapter\s*=\s*['\"](\w+)")
_CALLED = re.compile(r"\bdispatch\(\s*['\"](\w+)|(\w+)\s*\(")
"""Names that are called, or dispatched, in the text of a macro."""


def are_current(root: Path) -> bool:
    """Return True if the packages in *root* were installed after the last edit of the files that list them.

    `dbt deps` makes the folder anew. Before it runs, a package may be another version than the listed one.
    """
    edited = [path.stat().st_mtime for name in PACKAGE_FILES if (path := root / name).is_file()]
    installed = [path.stat().st_mtime for name in INSTALLED if (path := root / name).is_dir()]
    return not installed or max(installed) >= max(edited, default=0)


def installed_packages(root: Path, warnings: list[str]) -> Iterator[tuple[str, DbtProjectFile]]:
    """Yield the packages that `dbt deps` installed in *root*, with their folders."""
    for folder in INSTALLED:
        for path in sorted((root / folder).glob(f"*/{PROJECT_FILE}")):
            place = path.parent.relative_to(root).as_posix()
            try:
                yield place, read_settings(path.parent, warnings)
            except ConfigurationError as error:
                warnings.append(f"package in {place} was skipped: {error.message}")
