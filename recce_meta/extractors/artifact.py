"""Artifact files as dbt leaves them: opened, gunzipped, decoded, and refused with a reason.

The types here are the only place that knows how artifacts are spelled. A field that has changed its
name or its shape between manifest v1 and v20 is listed once, beside its older names; everything
that varies in type (`tags`, `meta`, `config`, `version`, …) stays untyped, because a strict type
there refuses real files.
"""

from __future__ import annotations

import gzip
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, field

from recce_meta.errors import ArtifactError

T = TypeVar("T")
NULL = Raw(b"null")
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""U+0000 as JSON escapes it, behind any number of escaped backslashes."""


class DependsOn(Struct, gc=False):
    """`depends_on` of any version; seeds have no `nodes` from v8 on.

    A generic test whose macro does not exist has null in the place of its id.
    """

    macros: list[str | None] | None = None
    nodes: list[str] | None = None


class ColumnConfig(Struct, gc=False):
    """Where dbt keeps a column's tags and meta from 1.10 on."""

    meta: Any = None
    tags: Any = None


class RawColumn(Struct, gc=False):
    """A documented column."""

    name: str | None = None
    description: str | None = None
    data_type: str | None = None
    meta: Any = None
    tags: Any = None
    constraints: Any = None
    quote: bool | None = None
    config: ColumnConfig | None = None


class Checksum(Struct, gc=False):
    """A checksum, and what it was computed over: `sha256`, `path`, `none`."""

    name: str | None = None
    checksum: str | None = None


class RawNode(Struct, gc=False):
    """An entry of `nodes` or `sources`, from v1 to v20."""

    unique_id: str | None = None
    name: str | None = None
    resource_type: str | None = None
    package_name: str | None = None
    original_file_path: str | None = None
    fqn: list[str] | None = None
    database: str | None = None
    schema: str | None = None
    alias: str | None = None
    identifier: str | None = None
    relation_name: str | None = None
    language: str | None = None
    checksum: Checksum | str | None = None
    raw_code: str | None = None
    raw_sql: str | None = None  # v1 to v6
    compiled_code: str | None = None
    compiled_sql: str | None = None  # v1 to v6
    # Tests by the ten thousand share a handful of configurations: these are decoded once each.
    config: Raw = NULL
    unrendered_config: Raw = NULL
    contract: Raw = NULL
    columns: dict[str, RawColumn] | None = None
    description: str | None = None
    tags: Any = None
    meta: Any = None
    access: str | None = None
    group: str | None = None
    version: Any = None
    source_name: str | None = None
    depends_on: DependsOn | None = None
    root_path: str | None = None
    patch_path: str | None = None
    # The rest belongs to one resource type each, and is kept as `properties`.
    latest_version: Any = UNSET
    constraints: Any = UNSET
    deprecation_date: Any = UNSET
    time_spine: Any = UNSET
    test_metadata: Any = UNSET
    attached_node: Any = UNSET
    column_name: Any = UNSET
    file_key_name: Any = UNSET
    source_description: Any = UNSET
    source_meta: Any = UNSET
    loader: Any = UNSET
    loaded_at_field: Any = UNSET
    loaded_at_query: Any = UNSET
    freshness: Any = UNSET
    external: Any = UNSET
    quoting: Any = UNSET
    unrendered_database: Any = UNSET
    unrendered_schema: Any = UNSET
    arguments: Any = UNSET
    returns: Any = UNSET
    overloads: Any = UNSET


class RawMacro(Struct, gc=False):
    """An entry of `macros`."""

    name: str | None = None
    package_name: str | None = None
    original_file_path: str | None = None
    macro_sql: str | None = None
    depends_on: DependsOn | None = None


class Metadata(Struct, gc=False):
    """The header of any artifact."""

    dbt_schema_version: str | None = None
    dbt_version: str | None = None
    generated_at: str | None = None
    invocation_started_at: str | None = None
    invocation_id: str | None = None
    project_name: str | None = None
    project_id: str | None = None
    adapter_type: str | None = None

    @property
    def kind_and_version(self) -> tuple[str, str] | None:
        """`("run-results", "v6")` of `https://schemas.getdbt.com/dbt/run-results/v6.json`; else None."""
        found = re.search(r"/([a-z-]+)/(v\d+)(?:\.json)?$", self.dbt_schema_version or "")
        return (found[1], found[2]) if found else None


class RawDefinition(Struct, gc=False):
    """What all entries of the small sections have in common."""

    name: str | None = None
    package_name: str | None = None
    original_file_path: str | None = None
    fqn: list[str] | None = None
    description: str | None = None
    group: str | None = None
    depends_on: DependsOn | None = None
    exports: list[Any] | None = None


Definitions = dict[str, dict[str, Any]]
"""Entries of the small sections (exposures, metrics, …), which stay as they are."""


class RawManifest(Struct, gc=False):
    """manifest.json. Maps of the graph are not read: they are empty in v20, and `depends_on` has it all.

    Nodes stay as text (of a `RawNode` each), to be decoded one at a time.
    """

    metadata: Metadata | None = None
    nodes: dict[str, Raw] | None = None
    sources: dict[str, Raw] | None = None
    macros: dict[str, RawMacro] | None = None
    exposures: Definitions | None = None
    metrics: Definitions | None = None
    semantic_models: Definitions | None = None
    saved_queries: Definitions | None = None
    unit_tests: Definitions | None = None
    functions: dict[str, Raw] | None = None
    groups: Definitions | None = None


class CatalogColumn(Struct, gc=False):
    """A column as the warehouse told dbt; some adapters write `index` as a float, some count from 0."""

    name: str
    type: str | None = None
    index: float = 0
    comment: str | None = None


class CatalogTable(Struct, gc=False):
    """A relation as the warehouse told dbt."""

    columns: dict[str, CatalogColumn] = field(default_factory=dict)


class RawCatalog(Struct, gc=False):
    """catalog.json."""

    metadata: Metadata | None = None
    nodes: dict[str, CatalogTable] | None = None
    sources: dict[str, CatalogTable] | None = None


class RawTiming(Struct, gc=False):
    """A phase of a result."""

    name: str | None = None
    completed_at: str | None = None


class RawResult(Struct, gc=False):
    """An entry of `results` in run_results.json."""

    unique_id: str
    status: str
    execution_time: float | None = None
    failures: int | None = None
    message: Any = None
    adapter_response: Any = None
    timing: list[RawTiming] | None = None


class RawRunResults(Struct, gc=False):
    """run_results.json. `args.which` names the command that wrote it."""

    metadata: Metadata | None = None
    results: list[Raw] | None = None
    """Of a `RawResult` each, to be decoded one at a time."""
    args: Any = None


def read_artifact(path: Path) -> bytes:
    """Return the JSON text of the artifact at *path*, gunzipped if it is gzip, without BOM and NUL.

    Raises ArtifactError if it cannot be read.
    """
    try:
        data = path.read_bytes()
        text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        return _without_nul(text.removeprefix(BOM_UTF8))
    except FileNotFoundError:
        raise ArtifactError(
            f"No such artifact: {path}", hint="run dbt first, or name its target folder"
        ) from None
    except IsADirectoryError:
        raise ArtifactError(
            f"{path} is a folder, not an artifact", hint="name the file in it, or the folder as target folder"
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ArtifactError(
            f"{path} is not a complete gzip file: {error}",
            hint="it was probably cut short: copy it again",
        ) from None
    except OSError as error:
        raise ArtifactError(
            f"Cannot read {path}: {error.strerror or error}", hint="check that the file can be read"
        ) from None


def _without_nul(text: bytes) -> bytes:
    """Return JSON *text* with U+FFFD for each U+0000, which no warehouse can store."""
    return _NUL.sub(rb"\1\\ufffd", text) if b"\\u0000" in text else text


def decode(data: bytes, path: Path, kind: str, shape: type[T]) -> T:
    """*data* as *shape*; raises ArtifactError that names *path* where it is not a *kind*."""
    if not data.strip(b" \t\r\n\x00"):
        raise ArtifactError(f"{path} is empty", hint="dbt was probably interrupted: run it again")
    with refusing(path, kind):
        return msgspec.json.decode(data, type=shape)


@contextmanager
def refusing(path: Path, kind: str) -> Iterator[None]:
    """What msgspec raises within, as an ArtifactError that names *path*."""
    try:
        yield
    except msgspec.ValidationError as error:
        raise not_a(kind, path, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(path, error) from None
    except RecursionError:
        raise not_a(kind, path, "it is nested too deeply") from None


def _damaged(path: Path, error: Exception) -> ArtifactError:
    """The error for a file that ends too early, or that is no JSON at some place in it."""
    if "truncated" in str(error):
        return ArtifactError(
            f"{path} is not complete JSON: {error}", hint="dbt was probably interrupted: run it again"
        )
    return ArtifactError(
        f"{path} is not valid JSON: {error}",
        hint="it is damaged, or holds what JSON has no word for, such as NaN: run dbt again",
    )


def check_header(metadata: Metadata | None, path: Path, kind: str) -> None:
    """Raises ArtifactError where the header names another kind of artifact; many files have none."""
    header = metadata or Metadata()
    named = header.kind_and_version
    if named and named[0] != kind.removesuffix(".json").replace("_", "-"):
        raise foreign_header(kind, path, header)


def foreign_header(kind: str, path: Path, header: Metadata) -> ArtifactError:
    """The error that says *path* is no *kind* by its own *header*."""
    return not_a(kind, path, f"its header says {(header.dbt_schema_version or '')[:100]}")


def not_a(kind: str, path: Path, why: str) -> ArtifactError:
    """The error that says *path* is no *kind*."""
    return ArtifactError(
        f"{path} is not a dbt {kind}: {why}", hint=f"name the {kind} that dbt wrote into its target folder"
    )


def find_artifact(folder: Path, name: str) -> Path | None:
    """`folder/name` or `folder/name.gz`, whichever exists."""
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    return None
