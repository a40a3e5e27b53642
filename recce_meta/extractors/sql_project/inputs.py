"""Everything that the files of a dbt project say, read once: settings, properties, macros and code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec import Struct

from recce_meta._version import __version__
from recce_meta.errors import ConfigurationError
from recce_meta.extractors.jinja import ProjectMacros, blocks_of
from recce_meta.extractors.sql_project.files import SourceFile, find_files, read_files
from recce_meta.extractors.sql_project.place import Place
from recce_meta.extractors.sql_project.properties import Properties, read_properties
from recce_meta.extractors.sql_project.settings import Settings, Variable, read_settings
from recce_meta.models import MacroMetadata, code_hash
from recce_meta.profiles import ProjectSettings
from recce_meta.profiles.discovery import PROJECT_FILE

VERSION = 1
"""Goes up with every change in how files are read: nothing of an earlier reading is used again then."""
_INSTALLED = ("dbt_packages", "dbt_modules")


class PackageFiles(Struct, frozen=True, kw_only=True):
    """One package: the project itself, or one installed in it."""

    settings: Settings
    properties: Properties
    folder: str
    """Below the project's own; empty for the project itself."""
    models: list[SourceFile]
    snapshots: list[SourceFile]
    analyses: list[SourceFile]
    tests: list[SourceFile]
    seeds: list[tuple[str, Path]]

    @property
    def name(self) -> str:
        """The package's name."""
        return self.settings.name


class Inputs(Struct, frozen=True, kw_only=True):
    """The project, the packages installed in it, and what they share."""

    packages: list[PackageFiles]
    """The project's own first."""
    macros: tuple[MacroMetadata, ...]
    variables: ProjectSettings | None
    overrides: Mapping[str, Any]
    """Variables given on the command line."""
    dialect: str | None
    place: Place
    warnings: list[str]

    @property
    def root(self) -> PackageFiles:
        """The project itself."""
        return self.packages[0]

    def variable_of(self, package: str) -> Variable:
        """What `var` knows in templates of *package*."""
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
        """The macros, for templates to be followed into."""
        orders = self.variables.search_orders if self.variables is not None else None
        return ProjectMacros(
            self.macros, root=self.root.name, adapter_type=self.dialect, search_orders=orders
        )

    def fingerprint(self) -> str:
        """Equal where a file that did not change means what it meant before."""
        digest = sha256(f"{VERSION} {__version__} {self.dialect} {self.place} {self.overrides}".encode())
        for package in self.packages:
            digest.update(f"\0{package.name}\0{package.settings.text}\0{package.properties.texts}".encode())
        for macro in self.macros:
            digest.update(f"\0{macro.unique_id}\0{macro.macro_sql}".encode("utf-8", "surrogatepass"))
        digest.update(repr(self.variables and self.variables.variables).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()[:32]


def read_package(settings: Settings, folder: str, warnings: list[str]) -> PackageFiles:
    """The files of the package with *settings*, which lies in *folder*."""
    root, paths = settings.root, settings.paths

    def read(kind: str, *endings: str) -> list[SourceFile]:
        return read_files(root, paths[kind], endings or (".sql",), warnings)

    seeds = [
        (path.relative_to(root).as_posix(), path)
        for path in find_files(root, paths["seeds"], (".csv",))
        if path.is_relative_to(root)
    ]
    models = read("models", ".sql", ".py") if settings.text else list(_without_macros(read("models")))
    return PackageFiles(
        settings=settings,
        properties=read_properties(settings, warnings),
        folder=folder,
        models=models,
        snapshots=read("snapshots"),
        analyses=read("analyses"),
        tests=[file for file in read("tests") if "generic" not in Path(file.path).parts],
        seeds=seeds,
    )


def _without_macros(files: list[SourceFile]) -> Iterator[SourceFile]:
    """Those of *files* that have more in them than macros."""
    for file in files:
        rest = file.text
        for block in blocks_of(rest):
            rest = rest.replace(block.text, "")
        if rest.strip():
            yield file


def read_macros(settings: Settings, warnings: list[str]) -> Iterator[MacroMetadata]:
    """The macros and generic tests in the macro folders of a package, and in `tests/generic`."""
    places = [*settings.paths["macros"], *(f"{folder}/generic" for folder in settings.paths["tests"])]
    for file in read_files(settings.root, places, (".sql",), warnings):
        for block in blocks_of(file.text):
            if block.kind not in ("macro", "test", "data_test"):
                continue
            name = block.name if block.kind == "macro" else f"test_{block.name}"
            yield MacroMetadata(
                unique_id=f"macro.{settings.name}.{name}",
                name=name,
                package_name=settings.name,
                path=file.path,
                macro_sql=block.text,
                code_hash=code_hash(block.text),
            )


def installed_packages(root: Path, warnings: list[str]) -> Iterator[tuple[str, Settings]]:
    """The packages that `dbt deps` put into *root*, with their folders."""
    for folder in _INSTALLED:
        for path in sorted((root / folder).glob(f"*/{PROJECT_FILE}")):
            place = path.parent.relative_to(root).as_posix()
            try:
                yield place, read_settings(path.parent, warnings)
            except ConfigurationError as error:
                warnings.append(f"package in {place} was left out: {error.message}")
