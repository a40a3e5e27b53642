"""Bundle: rows of an exchange as a zip of NDJSON files. Lossless, with equal bytes for equal contents.

    manifest.json           format, versions, the tables with their SHA-256, the objects
    tables/TABLE.ndjson     one JSON array for each row, without the names of columns

A bundle comes from outside. Each limit is checked before memory is used: the number and the names of files,
their sizes before and after compression, the length of a line, the number of rows. A row must have the types
of its columns.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cache
from hashlib import sha256
from io import BytesIO
from math import inf, isfinite, nan
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from recce_meta._version import __version__
from recce_meta.errors import ArtifactError, shorten
from recce_meta.store import sql_files
from recce_meta.store.session import SCHEMA_VERSION
from recce_meta.sync.tables import TABLES
from recce_meta.sync.types import Batch, Entry, Inventory, Key, ObjectKind, Row

FORMAT = "recce-meta-bundle"
FORMAT_VERSION = 1
"""Increases if an earlier recce_meta could not read the bundle."""
MANIFEST = "manifest.json"
MEDIA_TYPE = "application/zip"

_COMPRESSION = 6
_CHUNK = 2**16
_END = struct.Struct("<4s4H2LH")
"""End of a zip: signature, disks, numbers of files, size and place of the directory, length of comment."""
_LARGEST_DIRECTORY = 2**14
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){1,3}(?:[a-z0-9.+-]{0,40})")
_COLUMN = re.compile(r"^  (?P<name>\w+) (?P<type>[A-Z]+)(?P<rest>.*)$", re.MULTILINE)
_KEY = re.compile(r"^  PRIMARY KEY \((.*)\)", re.MULTILINE)
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error, UnicodeError,
    ValueError, OverflowError, IndexError,
)  # fmt: skip
"""Errors of reading a damaged zip."""


class BundleLimits(Struct, frozen=True, kw_only=True):
    """Limits of a bundle."""

    compressed: int = 2**31 - 2**20
    """Bytes of the file. A larger one would need another form of the zip's directory."""
    inflated: int = 8 * 2**30
    """Bytes of all files in it."""
    ratio: int = 1_000
    """Bytes of a file in it for each compressed byte, above `small`: what zeros alone exceed."""
    small: int = 2**20
    """Bytes of a file in it whose ratio is not limited."""
    manifest: int = 2**28
    """Bytes of the manifest."""
    line: int = 2**26
    """Bytes of a row."""
    rows: int = 50_000_000
    """Rows of all tables."""
    objects: int = 1_000_000


OF_FILES = BundleLimits()
OF_REQUESTS = BundleLimits(
    compressed=2**28, inflated=2**29, manifest=2**26, line=2**25, rows=500_000, objects=200_000
)
"""Limits of a bundle that a request or an answer has."""


class TableEntry(Struct, frozen=True, kw_only=True):
    """Table of a bundle."""

    columns: tuple[str, ...]
    rows: Annotated[int, Meta(ge=0)]
    sha256: str
    """SHA-256 of the file, in hexadecimal digits."""


class ListedObject(Struct, frozen=True, gc=False):
    """Object of a store or of a bundle."""

    kind: ObjectKind
    id: str
    content: str | None = None
    """Text that differs if the contents differ; null if unknown."""
    run_id: str | None = None
    """Run that it belongs to; null for annotations."""
    project: str | None = None
    """Project; null if it is that of the run."""
    recorded_at: Annotated[datetime, Meta(tz=True)] | None = None
    """When a run was recorded or deleted; null for other kinds."""

    @property
    def key(self) -> Key:
        """Identity of the object."""
        return Key(self.kind, self.id)


_OF_ONE_RUN = (ObjectKind.RUN, ObjectKind.COLUMNS, ObjectKind.STATISTICS)
"""Kinds whose id is that of their run."""


class BundleManifest(Struct, frozen=True, kw_only=True):
    """Contents of a bundle."""

    format: str
    format_version: int
    store_version: int
    """Version of the tables."""
    producer: str
    """Version of the recce_meta that wrote the bundle."""
    tables: dict[str, TableEntry]
    objects: list[ListedObject] = []

    def inventory(self) -> Inventory:
        """Return the objects that the bundle says it has."""
        entries = {
            # The object of a conflict is listed without its run.
            one.key: Entry(
                one.content,
                one.run_id or (one.id if one.kind in _OF_ONE_RUN else None),
                one.project,
                one.recorded_at,
            )
            for one in self.objects
        }
        return Inventory(entries=entries, store_version=self.store_version)


class _BundleHeader(Struct):
    format: object = None
    format_version: object = None
    store_version: object = None
    producer: object = None


class ColumnForm(Struct, frozen=True):
    """Type of a column of the store."""

    type: str
    """Type in PostgreSQL without its length: TEXT, BIGINT, …"""
    is_required: bool


_TYPES: Mapping[str, Any] = {
    "TEXT": str,
    "VARCHAR": str,
    "JSON": str,
    "BIGINT": Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)],
    "INTEGER": Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)],
    "DOUBLE": float | Literal["Infinity", "-Infinity", "NaN"],
    "BOOLEAN": bool,
    "TIMESTAMPTZ": Annotated[datetime, Meta(tz=True)],
}
_NON_FINITE = {"Infinity": inf, "-Infinity": -inf, "NaN": nan}

_encode = msgspec.json.Encoder(order="deterministic").encode
_manifest = msgspec.json.Decoder(BundleManifest).decode
_header = msgspec.json.Decoder(_BundleHeader).decode


@cache
def column_forms(table: str) -> Mapping[str, ColumnForm]:
    """Return the columns of *table* with their types, from the statement that creates it."""
    return {
        found["name"]: ColumnForm(found["type"], "NOT NULL" in found["rest"])
        for found in _COLUMN.finditer(_statement(table))
        if found["type"] in _TYPES
    }


@cache
def primary_key(table: str) -> tuple[str, ...]:
    """Return the columns of the primary key of *table*."""
    text = _statement(table)
    if found := _KEY.search(text):
        return tuple(found[1].split(", "))
    return tuple(found["name"] for found in _COLUMN.finditer(text) if found["rest"].endswith("PRIMARY KEY,"))


def _statement(table: str) -> str:
    (text,) = [file.text for file in sql_files.ddl("postgres") if file.name.partition("_")[2] == table]
    return text


def encode_row(table: str, row: Row) -> bytes:
    """Return *row* of *table* as one line of JSON, with its line break."""
    times = TABLES[table].times
    cells = [
        _json_form(cell) if isinstance(cell, float) or place in times else cell
        for place, cell in enumerate(row)
    ]
    return _encode(cells) + b"\n"


def _json_form(cell: Any) -> Any:
    if isinstance(cell, float):
        # By comparison with itself, because NaN differs from all values.
        return (
            cell if isfinite(cell) else ("NaN" if cell != cell else "Infinity" if cell > 0 else "-Infinity")
        )
    if isinstance(cell, datetime):
        return cell.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return cell


class RowDecoder:
    """Decoder of the rows of one table that has some of the table's columns."""

    def __init__(self, table: str, columns: Sequence[str] | None = None) -> None:
        """Create the decoder. Raises ArtifactError for *columns* that the table cannot have."""
        own = TABLES[table].columns
        given = own if columns is None else tuple(columns)
        forms = column_forms(table)
        if len(set(given)) != len(given) or not set(given) <= set(own):
            raise damaged(f"the columns of {table} are not those of this version")
        if any(forms[name].is_required for name in own if name not in given):
            raise damaged(f"columns of {table} are missing")
        self.table = table
        self._decode = msgspec.json.Decoder(tuple[tuple(_type_of(forms[name]) for name in given)]).decode  # type: ignore[misc]
        self._places = [given.index(name) if name in given else -1 for name in own]
        self._is_whole = given == own
        self._times = TABLES[table].times
        self._numbers = [place for place, name in enumerate(own) if forms[name].type == "DOUBLE"]

    def row(self, line: bytes) -> Row:
        """Return the row of *line*. Raises ArtifactError for a line that is not a row of the table."""
        try:
            found = list(self._decode(line))
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise damaged(f"a row of {self.table}: {shorten(str(error), 200)}") from None
        if not self._is_whole:
            found = [None if place < 0 else found[place] for place in self._places]
        for place in self._numbers:
            if isinstance(found[place], str):
                found[place] = _NON_FINITE[found[place]]
        for place in self._times:
            if found[place] is not None and found[place].tzinfo is not timezone.utc:
                found[place] = self._utc(found[place])
        return tuple(found)

    def _utc(self, time: datetime) -> datetime:
        try:
            return time.astimezone(timezone.utc)
        except OverflowError:
            raise damaged(f"a row of {self.table}: time out of range") from None


def _type_of(form: ColumnForm) -> Any:
    found = _TYPES[form.type]
    return found if form.is_required else found | None


def write_bundle(
    target: IO[bytes],
    tables: Mapping[str, Iterable[bytes]],
    objects: Iterable[ListedObject] = (),
    *,
    limits: BundleLimits = OF_FILES,
) -> BundleManifest:
    """Write a bundle with the lines of *tables* in their order, and a list of *objects*.

    Equal arguments give equal bytes. Raises ArtifactError for more than a bundle may have.
    """
    entries: dict[str, TableEntry] = {}
    rows = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as archive:
        for table in TABLES:
            if table not in tables:
                continue
            hashed, count = sha256(), 0
            with archive.open(_member(_name_of(table)), "w", force_zip64=True) as member:
                for line in tables[table]:
                    hashed.update(line)
                    member.write(line)
                    count += 1
            columns = TABLES[table].columns
            entries[table] = TableEntry(columns=columns, rows=count, sha256=hashed.hexdigest())
            rows += count
        manifest = BundleManifest(
            format=FORMAT,
            format_version=FORMAT_VERSION,
            store_version=SCHEMA_VERSION,
            producer=__version__,
            tables=entries,
            objects=list(objects),
        )
        archive.writestr(_member(MANIFEST), _encode(manifest) + b"\n", compresslevel=_COMPRESSION)
        inflated = sum(member.file_size for member in archive.filelist)
    if target.tell() > limits.compressed or inflated > limits.inflated or rows > limits.rows:
        raise ArtifactError(
            "The objects do not fit into one bundle",
            hint="choose fewer runs with --select, and use several files",
        )
    return manifest


def batch_lines(batch: Batch) -> dict[str, list[bytes]]:
    """Return the rows of *batch* as sorted lines, for `write_bundle`."""
    return {
        table: sorted(encode_row(table, row) for row in rows) for table, rows in batch.tables.items() if rows
    }


def listed(entries: Mapping[Key, Entry]) -> list[ListedObject]:
    """Return *entries* for a manifest, sorted."""
    found = [
        ListedObject(key.kind, key.id, entry.content, entry.run_id, entry.project, entry.recorded_at)
        for key, entry in entries.items()
    ]
    return sorted(found, key=lambda one: (one.kind.value, one.id))


def _member(name: str) -> zipfile.ZipInfo:
    # Without the time, so that equal contents give equal bytes.
    member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    member.compress_type, member.create_system = zipfile.ZIP_DEFLATED, 3
    member.external_attr = 0o600 << 16
    return member


def _name_of(table: str) -> str:
    return f"tables/{table}.ndjson"


class OpenedBundle:
    """Bundle whose manifest was read and checked."""

    def __init__(self, archive: zipfile.ZipFile, manifest: BundleManifest, limits: BundleLimits) -> None:
        self._archive, self._limits = archive, limits
        self.manifest = manifest

    def rows(self, table: str) -> Iterator[tuple[Row, bytes]]:
        """Yield the rows of *table*, each with its line.

        Raises ArtifactError for a row that is not one of the table. The hash is checked after the last row.
        """
        entry = self.manifest.tables.get(table)
        if entry is None:
            return
        decoder, hashed, count = RowDecoder(table, entry.columns), sha256(), 0
        for line in self._lines(table):
            hashed.update(line)
            count += 1
            # Before the row is read: the manifest has checked the sum of all tables.
            if count > entry.rows:
                raise damaged(f"{table} has more rows than the manifest says")
            yield decoder.row(line), line
        if count != entry.rows or hashed.hexdigest() != entry.sha256:
            raise damaged(f"the rows of {table} do not match their SHA-256")

    def _lines(self, table: str) -> Iterator[bytes]:
        # Joined only at a line break: a long row arrives in many chunks.
        begun: list[bytes] = []
        length = 0
        with _zip_errors(), self._archive.open(_name_of(table)) as member:
            while chunk := member.read(_CHUNK):
                first, *others = chunk.split(b"\n")
                begun.append(first)
                length += len(first)
                if length > self._limits.line:
                    raise damaged(f"a row of {table} is too long")
                if others:
                    *whole, last = others
                    yield b"".join(begun) + b"\n"
                    yield from (line + b"\n" for line in whole)
                    begun, length = [last], len(last)
        if length:
            raise damaged(f"{table} was cut")

    def batch(self) -> Batch:
        """Return all rows of the bundle."""
        keys = tuple(one.key for one in self.manifest.objects)
        return Batch(keys, {table: [row for row, _ in self.rows(table)] for table in self.manifest.tables})


@contextmanager
def opened_bundle(file: Path | IO[bytes], *, limits: BundleLimits = OF_FILES) -> Iterator[OpenedBundle]:
    """Yield the bundle in *file* after its manifest was checked.

    Raises ArtifactError for another file, a damaged one, one above the limits, or one of a newer version.
    """
    source: IO[bytes]
    source = file.open("rb") if isinstance(file, Path) else file
    try:
        _check_end(source, limits)
        with _zip_errors():
            archive = zipfile.ZipFile(source)
        with archive:
            yield OpenedBundle(archive, _read_manifest(archive, limits), limits)
    finally:
        if isinstance(file, Path):
            source.close()


@contextmanager
def _zip_errors() -> Iterator[None]:
    """Report errors of a damaged zip as ArtifactError."""
    try:
        yield
    except _DAMAGED as error:
        raise damaged(shorten(str(error) or type(error).__name__, 200)) from None


def _check_end(source: IO[bytes], limits: BundleLimits) -> None:
    """Raise ArtifactError unless *source* ends like a zip with few files; zipfile would read all names."""
    size = source.seek(0, 2)
    source.seek(0)
    start = source.read(4)
    if start[:2] == b"\x1f\x8b":
        raise _foreign("it is a gzip file")
    if start not in (b"PK\x03\x04", b"PK\x05\x06"):
        raise _foreign("it is not a zip file")
    if size > limits.compressed:
        raise _too_large("bytes")
    source.seek(max(0, size - _END.size))
    end = source.read(_END.size)
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise damaged("its end is missing")
    _, disk, other_disk, here, count, directory, place, comment = _END.unpack(end)
    is_plain = disk == other_disk == comment == 0 and here == count and directory <= _LARGEST_DIRECTORY
    if not is_plain or place + directory + _END.size != size:
        raise damaged("its directory is not that of a bundle")


def _read_manifest(archive: zipfile.ZipFile, limits: BundleLimits) -> BundleManifest:
    members = {member.filename: member for member in archive.filelist}
    if len(members) < len(archive.filelist):
        raise damaged("a name occurs twice")
    for member in members.values():
        _check_member(member, limits)
    if sum(member.file_size for member in members.values()) > limits.inflated:
        raise _too_large("inflated bytes")
    if MANIFEST not in members:
        raise _foreign("it has no manifest.json")
    if members[MANIFEST].file_size > limits.manifest:
        raise _too_large("objects")
    with _zip_errors(), archive.open(MANIFEST) as opened:
        body = opened.read(limits.manifest + 1)
    manifest = _decoded_manifest(body)
    # After the version: a newer bundle may have further tables.
    known = {_name_of(table): table for table in TABLES}
    found = {known.get(name, "") for name in members if name != MANIFEST}
    if found != set(manifest.tables):
        raise damaged("its files are not those that the manifest lists")
    if sum(entry.rows for entry in manifest.tables.values()) > limits.rows:
        raise _too_large("rows")
    if len(manifest.objects) > limits.objects:
        raise _too_large("objects")
    if len({one.key for one in manifest.objects}) < len(manifest.objects):
        raise damaged("an object is listed twice")
    return manifest


def _check_member(member: zipfile.ZipInfo, limits: BundleLimits) -> None:
    # First, because zipfile cuts a name at U+0000 and cannot handle an empty one.
    if not member.filename or member.orig_filename != member.filename:
        raise damaged("a file in it has an invalid name")
    mode = member.external_attr >> 16
    is_plain = member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if not is_plain or member.flag_bits & 0x1 or member.is_dir() or (mode and not _is_regular(mode)):
        raise damaged("a file in it is encrypted, a link, or of an unknown kind")
    if member.file_size > limits.small and member.file_size > limits.ratio * member.compress_size:
        raise _too_large("inflated bytes for each compressed byte")


def _is_regular(mode: int) -> bool:
    return stat.S_IFMT(mode) in (0, stat.S_IFREG)


def _decoded_manifest(body: bytes) -> BundleManifest:
    try:
        header = _header(body)
        if header.format != FORMAT:
            raise _foreign("its manifest is of another format")
        _refuse_newer(header)
        return _manifest(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise damaged(f"its manifest: {shorten(str(error), 200)}") from None


def _refuse_newer(header: _BundleHeader) -> None:
    """Raise ArtifactError if a newer recce_meta wrote the bundle, for a store that this one does not know."""
    for version, most in ((header.format_version, FORMAT_VERSION), (header.store_version, SCHEMA_VERSION)):
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise damaged("its manifest has no versions")
        if version > most:
            producer = str(header.producer)
            # Text of a stranger, which a hint must not repeat unless it is a version.
            is_version = _VERSION.fullmatch(producer) and producer != __version__
            raise ArtifactError(
                f"A newer recce_meta wrote it, in version {version:,}; this one reads versions up to {most}",
                hint=f"install recce_meta {producer}" if is_version else "upgrade recce-meta",
            )


def pack(batch: Batch) -> bytes:
    """Return *batch* as the bytes of a bundle."""
    target = BytesIO()
    objects = [ListedObject(key.kind, key.id) for key in sorted(batch.keys)]
    write_bundle(target, batch_lines(batch), objects, limits=OF_REQUESTS)
    return target.getvalue()


def unpack(source: bytes | Path) -> Batch:
    """Return the batch of a bundle that `pack` returned. Raises ArtifactError."""
    with opened_bundle(BytesIO(source) if isinstance(source, bytes) else source, limits=OF_REQUESTS) as found:
        return found.batch()


def damaged(what: str) -> ArtifactError:
    """Return the error for a bundle that is damaged or forged."""
    return ArtifactError(f"The bundle is damaged: {what}", hint="write it again with recce-meta push FILE")


def _foreign(what: str) -> ArtifactError:
    return ArtifactError(
        f"The file is not a bundle of recce-meta: {what}",
        hint="give a file that recce-meta push FILE wrote; recce-meta import reads exported documents",
    )


def _too_large(what: str) -> ArtifactError:
    return ArtifactError(
        f"The bundle has more {what} than the limit",
        hint="write several bundles: recce-meta push FILE --select",
    )
