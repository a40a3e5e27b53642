"""Decoder of dbt's artifact files, and the types of their contents.

Only these types name the fields of artifacts. A field whose name or shape changed between manifest v1 and
v20 is listed once, next to its older names. Fields of varying type (`tags`, `meta`, `config`, `version`, …)
stay untyped, because a strict type would reject real files.
"""

from __future__ import annotations

import gzip
import logging
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
_LOG = logging.getLogger(__name__)
NULL = Raw(b"null")
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""U+0000 as JSON escapes it, after any number of escaped backslashes."""


# `gc=False`: artifacts have no cycles, and tracking hundreds of thousands of objects costs time.
class DependsOn(Struct, gc=False):
    """`depends_on` of any version; seeds have no `nodes` from v8 on.

    A generic test has null in place of a macro id if that macro does not exist.
    """

    macros: list[str | None] | None = None
    nodes: list[str] | None = None


class ColumnConfig(Struct, gc=False):
    """Configuration of a column: its tags and meta, from dbt 1.10 on."""

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
    """A checksum, and its kind: `sha256`, `path`, `none`."""

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
    # Thousands of tests share a few configurations, so each distinct text is decoded once.
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
    # Each field below belongs to one resource type and is stored in `properties`.
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
        """Return `("run-results", "v6")` of `https://schemas.getdbt.com/dbt/run-results/v6.json`, or None."""
        found = re.search(r"/([a-z-]+)/(v\d+)(?:\.json)?$", self.dbt_schema_version or "")
        return (found[1], found[2]) if found else None


class RawDefinition(Struct, gc=False):
    """Fields that entries of all small sections share."""

    name: str | None = None
    package_name: str | None = None
    original_file_path: str | None = None
    fqn: list[str] | None = None
    description: str | None = None
    group: str | None = None
    depends_on: DependsOn | None = None
    exports: list[Any] | None = None


Definitions = dict[str, dict[str, Any]]
"""Entries of the small sections (exposures, metrics, …), unchanged."""


class RawManifest(Struct, gc=False):
    """manifest.json. Maps of the graph are not read: they are empty in v20, and `depends_on` has every edge.

    Nodes stay undecoded (each is a `RawNode`), so that they can be decoded one at a time.
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
    disabled: dict[str, Raw] | list[Raw] | None = None
    """Lists of nodes by id; v1 to v3 have one list of nodes without code."""


class CatalogColumn(Struct, gc=False):
    """A column as the warehouse reported it; adapters may write `index` as a float, or count from 0."""

    name: str
    type: str | None = None
    index: float = 0
    comment: str | None = None


class CatalogTable(Struct, gc=False):
    """A relation as the warehouse reported it to dbt."""

    columns: dict[str, CatalogColumn] = field(default_factory=dict)


class RawCatalog(Struct, gc=False):
    """catalog.json."""

    metadata: Metadata | None = None
    nodes: dict[str, CatalogTable] | None = None
    sources: dict[str, CatalogTable] | None = None


class RawTiming(Struct, gc=False):
    """A phase of a result."""

    name: str | None = None
    started_at: str | None = None
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
    thread_id: str | None = None


class RawRunResults(Struct, gc=False):
    """run_results.json. `args.which` names the command that wrote it."""

    metadata: Metadata | None = None
    results: list[Raw] | None = None
    """Undecoded entries (each is a `RawResult`), to be decoded one at a time."""
    args: Any = None
    elapsed_time: Any = None


class RawFreshness(Struct, gc=False):
    """An entry of `results` in sources.json."""

    unique_id: str
    status: str
    max_loaded_at: str | None = None
    snapshotted_at: str | None = None
    max_loaded_at_time_ago_in_s: float | None = None
    criteria: dict[str, Any] | None = None
    error: Any = None


class RawSources(Struct, gc=False):
    """sources.json."""

    metadata: Metadata | None = None
    results: list[Raw] | None = None
    """Undecoded entries (each is a `RawFreshness`), to be decoded one at a time."""
    elapsed_time: float | None = None


def read_artifact(path: Path) -> bytes:
    """Return the JSON text of the artifact at *path*: decompressed, without BOM and NUL.

    Raises ArtifactError if the file cannot be read.
    """
    try:
        data = path.read_bytes()
        _LOG.info("Read %s (%s bytes)", path, f"{len(data):,}")
        # By content, because a compressed copy may have any name.
        text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        return _without_nul(text.removeprefix(BOM_UTF8))
    except FileNotFoundError:
        raise ArtifactError(
            f"Artifact not found: {path}", hint="run dbt first, or pass its target folder"
        ) from None
    except IsADirectoryError:
        raise ArtifactError(
            f"{path} is a folder, not an artifact",
            hint="pass the file in it, or pass the folder as the target folder",
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ArtifactError(
            f"{path} is not a complete gzip file: {error}",
            hint="copy the file again: it was probably truncated",
        ) from None
    except OSError as error:
        raise ArtifactError(
            f"Cannot read {path}: {error.strerror or error}", hint="check the file and its permissions"
        ) from None


def _without_nul(text: bytes) -> bytes:
    """Return JSON *text* with each U+0000, which no warehouse can store, replaced by U+FFFD."""
    return _NUL.sub(rb"\1\\ufffd", text) if b"\\u0000" in text else text


def decode(data: bytes, path: Path, kind: str, shape: type[T]) -> T:
    """Return *data* decoded as *shape*. Raises ArtifactError, with *path*, if *data* is not a *kind*."""
    # A crash of the machine may leave a file of NUL bytes.
    if not data.strip(b" \t\r\n\x00"):
        raise ArtifactError(f"{path} is empty", hint="run dbt again: it was probably interrupted")
    with refusing(path, kind):
        return msgspec.json.decode(data, type=shape)


@contextmanager
def refusing(path: Path, kind: str) -> Iterator[None]:
    """Raise msgspec's decoding errors within the block as an ArtifactError that names *path*."""
    try:
        yield
    except msgspec.ValidationError as error:
        raise not_a(kind, path, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(path, error) from None
    except RecursionError:
        raise not_a(kind, path, "the JSON is nested too deeply") from None


def _damaged(path: Path, error: Exception) -> ArtifactError:
    """Return the error for a file that is truncated, or that is not valid JSON."""
    # msgspec has no type of its own for this error.
    if "truncated" in str(error):
        return ArtifactError(
            f"{path} is not complete JSON: {error}", hint="run dbt again: it was probably interrupted"
        )
    return ArtifactError(
        f"{path} is not valid JSON: {error}",
        hint="run dbt again: the file is damaged, or has a value that JSON does not allow, such as NaN",
    )


def check_header(metadata: Metadata | None, path: Path, kind: str) -> None:
    """Raise ArtifactError if the header names another kind of artifact; many files have no header."""
    header = metadata or Metadata()
    named = header.kind_and_version
    if named and named[0] != kind.removesuffix(".json").replace("_", "-"):
        raise foreign_header(kind, path, header)


def foreign_header(kind: str, path: Path, header: Metadata) -> ArtifactError:
    """Return the error for a file whose *header* says that it is not a *kind*."""
    return not_a(kind, path, f"its header says {(header.dbt_schema_version or '')[:100]}")


def not_a(kind: str, path: Path, why: str) -> ArtifactError:
    """Return the error for a file that is not a *kind*."""
    return ArtifactError(
        f"{path} is not a dbt {kind}: {why}", hint=f"pass the {kind} that dbt wrote into its target folder"
    )


def find_artifact(folder: Path, name: str) -> Path | None:
    """Return `folder/name` or `folder/name.gz`, or None if neither is a file."""
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    return None
