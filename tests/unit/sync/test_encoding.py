"""Bundles: rows survive unchanged, equal contents have equal bytes, and hostile files are refused."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.errors import ArtifactError
from recce_meta.store.session import SCHEMA_VERSION
from recce_meta.sync.encoding import (
    OF_FILES,
    OF_REQUESTS,
    BundleLimits,
    RowDecoder,
    batch_lines,
    column_forms,
    encode_row,
    listed,
    opened_bundle,
    write_bundle,
)
from recce_meta.sync.tables import TABLES
from recce_meta.sync.types import Batch, Entry, Key, ObjectKind

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "TEXT": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "DOUBLE": st.floats(),
    "BOOLEAN": st.booleans(),
    "TIMESTAMPTZ": st.datetimes(timezones=st.just(timezone.utc)).map(lambda time: time.replace(fold=0)),
}
_VALUES |= {"VARCHAR": _VALUES["TEXT"], "JSON": _VALUES["TEXT"]}


def rows_of(table: str) -> st.SearchStrategy[tuple[Any, ...]]:
    """Return a strategy for rows of *table*."""
    forms = [column_forms(table)[name] for name in TABLES[table].columns]
    cells = (_VALUES[form.type] if form.is_required else st.none() | _VALUES[form.type] for form in forms)
    return st.tuples(*cells)


any_row = st.sampled_from(sorted(TABLES)).flatmap(lambda table: st.tuples(st.just(table), rows_of(table)))


def parts(number: int = 3) -> Batch:
    """Return a batch of *number* parts of a graph."""
    return Batch(
        (Key(ObjectKind.RUN, "one"),), {"graph_parts": [("graph", f"part{n}") for n in range(number)]}
    )


def bundled(batch: Batch, limits: BundleLimits = OF_FILES) -> bytes:
    """Return the bytes of a bundle of *batch*."""
    target = io.BytesIO()
    entries = {key: Entry("hash", "one", "shop", NOW) for key in batch.keys}
    write_bundle(target, batch_lines(batch), listed(entries), limits=limits)
    return target.getvalue()


def read(data: bytes, limits: BundleLimits = OF_FILES) -> Batch:
    """Return the batch of the bundle *data*."""
    with opened_bundle(io.BytesIO(data), limits=limits) as found:
        return found.batch()


def rezipped(data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """Return the zip *data* with its files changed by *change*."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def with_manifest(data: bytes, **fields: Any) -> bytes:
    """Return the bundle *data* with *fields* of its manifest replaced."""

    def change(files: dict[str, bytes]) -> None:
        files["manifest.json"] = json.dumps({**json.loads(files["manifest.json"]), **fields}).encode()

    return rezipped(data, change)


def with_rows(data: bytes, table: str, content: bytes, rows: int) -> bytes:
    """Return the bundle *data* with other rows, whose hash and number fit."""

    def change(files: dict[str, bytes]) -> None:
        files[f"tables/{table}.ndjson"] = content
        manifest = json.loads(files["manifest.json"])
        manifest["tables"][table] |= {"rows": rows, "sha256": sha256(content).hexdigest()}
        files["manifest.json"] = json.dumps(manifest).encode()

    return rezipped(data, change)


def test_the_columns_have_the_types_that_the_exchange_expects() -> None:
    for table, found in TABLES.items():
        forms = [column_forms(table)[name] for name in found.columns]
        assert {place for place, form in enumerate(forms) if form.type == "TIMESTAMPTZ"} == found.times
        assert {place for place, form in enumerate(forms) if form.type == "JSON"} == found.texts_of_json


@given(any_row)
def test_a_row_survives_unchanged(given_row: tuple[str, tuple[Any, ...]]) -> None:
    table, row = given_row
    line = encode_row(table, row)

    # By its representation: NaN differs from itself, and 0.0 equals -0.0.
    assert repr(RowDecoder(table).row(line)) == repr(row)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")


def test_times_are_in_utc_with_microseconds() -> None:
    time = datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    row = ("one", "shop", time, "ann", "prune", "1.0")

    assert b'"2026-01-02T03:04:05.000000Z"' in encode_row("tombstones", row)
    assert RowDecoder("tombstones").row(encode_row("tombstones", row))[2] == time


@pytest.mark.extensive
@given(st.lists(any_row, max_size=4), st.randoms(use_true_random=False))
def test_equal_contents_have_equal_bytes(rows: list[tuple[str, tuple[Any, ...]]], order: Any) -> None:
    tables: dict[str, list[Any]] = {}
    for table, row in rows:
        tables.setdefault(table, []).append(row)
    shuffled = {table: order.sample(found, len(found)) for table, found in reversed(tables.items())}
    keys = (Key(ObjectKind.RUN, "one"), Key(ObjectKind.COLUMNS, "one"))
    data = bundled(Batch(keys, tables))

    assert bundled(Batch(keys[::-1], shuffled)) == data
    found = read(data)
    assert set(found.keys) == set(keys)
    assert {name: sorted(map(repr, rows)) for name, rows in found.tables.items()} == {
        name: sorted(map(repr, rows)) for name, rows in tables.items()
    }


def test_the_manifest_lists_tables_and_objects() -> None:
    with opened_bundle(io.BytesIO(bundled(parts()))) as found:
        manifest = found.manifest

    assert (manifest.format, manifest.store_version) == ("recce-meta-bundle", SCHEMA_VERSION)
    assert manifest.producer == __version__
    assert (manifest.tables["graph_parts"].columns, manifest.tables["graph_parts"].rows) == (
        ("graph_id", "part_id"),
        3,
    )
    assert manifest.inventory().entries == {Key(ObjectKind.RUN, "one"): Entry("hash", "one", "shop", NOW)}


def test_columns_that_an_older_bundle_lacks_are_null() -> None:
    columns = [name for name in TABLES["column_edges"].columns if name != "confidence"]
    batch = Batch((), {"column_edges": [("v4.a", 1, "id", "p", "id", "passthrough", None, 1.0)]})
    line = json.dumps(["v4.a", 1, "id", "p", "id", "passthrough", None]).encode() + b"\n"
    older = with_rows(bundled(batch), "column_edges", line, 1)
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(older)).read("manifest.json"))
    manifest["tables"]["column_edges"]["columns"] = columns

    assert read(with_manifest(older, tables=manifest["tables"])).tables["column_edges"] == [
        ("v4.a", 1, "id", "p", "id", "passthrough", None, None)
    ]
    manifest["tables"]["column_edges"]["columns"] = columns[1:]
    with pytest.raises(ArtifactError, match="columns of column_edges are missing"):
        read(with_manifest(older, tables=manifest["tables"]))


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"store_version": SCHEMA_VERSION + 1, "producer": "99.1.0"}, "install recce_meta 99.1.0"),
        ({"format_version": 2, "producer": "1.0; rm -rf"}, "upgrade recce-meta"),
    ],
)
def test_a_newer_bundle_names_the_version_to_install(fields: dict[str, Any], hint: str) -> None:
    def further_table(files: dict[str, bytes]) -> None:
        files["tables/later.ndjson"] = b"[1]\n"

    with pytest.raises(ArtifactError, match="newer recce_meta") as failed:
        read(rezipped(with_manifest(bundled(parts()), **fields), further_table))
    assert failed.value.hint == hint


@pytest.mark.parametrize(
    "line",
    [
        b'["graph"]\n',
        b'["graph", 1]\n',
        b'["graph", null]\n',
        b'["graph", "a", "b"]\n',
        b'{"graph_id": "graph"}\n',
        b'["graph", "\\ud800"]\n',
        b'["graph", "\xff"]\n',
        b"[" * 100_000 + b"\n",
        b"\n",
        b'["graph", "a"] []\n',
        b'["graph", "a"]',
    ],
)
def test_a_row_of_other_types_is_refused(line: bytes) -> None:
    with pytest.raises(ArtifactError, match="The bundle is damaged"):
        read(with_rows(bundled(parts()), "graph_parts", line, 1))


@pytest.mark.parametrize("cell", ["1e999", "1.5", "9223372036854775808", "1" * 10_000, '"1"', "true", "[1]"])
def test_huge_numbers_and_other_types_are_refused(cell: str) -> None:
    line = f'["one", "a", "success", null, {cell}, null, null, null, null]\n'.encode()
    with pytest.raises(ArtifactError, match="a row of run_results"):
        RowDecoder("run_results").row(line)


def test_a_time_without_a_zone_or_out_of_range_is_refused() -> None:
    for time in ("2026-01-02T03:04:05", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"):
        line = json.dumps(["one", "shop", time, "ann", "prune", "1.0"]).encode()
        with pytest.raises(ArtifactError, match="a row of tombstones"):
            RowDecoder("tombstones").row(line)


def test_edited_rows_are_refused() -> None:
    def edit(files: dict[str, bytes]) -> None:
        files["tables/graph_parts.ndjson"] = files["tables/graph_parts.ndjson"].replace(b"part1", b"other")

    with pytest.raises(ArtifactError, match="do not match their SHA-256"):
        read(rezipped(bundled(parts()), edit))


@pytest.mark.parametrize(
    ("rows", "said"), [(2, "more rows than the manifest says"), (4, "do not match their SHA-256")]
)
def test_another_number_of_rows_is_refused(rows: int, said: str) -> None:
    data = bundled(parts())
    content = zipfile.ZipFile(io.BytesIO(data)).read("tables/graph_parts.ndjson")
    with pytest.raises(ArtifactError, match=said):
        read(with_rows(data, "graph_parts", content, rows))


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "tables/../../evil", "tables/store.ndjson", "evil", "a/"]
)
def test_files_of_other_names_are_refused(name: str) -> None:
    with pytest.raises(ArtifactError, match="damaged"):
        read(rezipped(bundled(parts()), lambda files: files.update({name: b""})))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_repeated_name_is_refused() -> None:
    target = io.BytesIO(bundled(parts()))
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("tables/graph_parts.ndjson", b"")
    with pytest.raises(ArtifactError, match="a name occurs twice"):
        read(target.getvalue())


def test_a_symbolic_link_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        link = zipfile.ZipInfo("manifest.json")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ArtifactError, match="a link"):
        read(target.getvalue())


def test_a_zip_bomb_is_refused_before_it_is_inflated() -> None:
    bomb = rezipped(bundled(parts()), lambda files: files.update({"manifest.json": b" " * 2**26}))
    with pytest.raises(ArtifactError, match="inflated bytes for each compressed byte"):
        read(bomb)
    many = rezipped(bundled(parts()), lambda files: files.update({"manifest.json": b"\n" * 2**20}))
    with pytest.raises(ArtifactError, match="more inflated bytes than the limit"):
        read(many, replace(OF_FILES, inflated=2**20))
    # The size in the directory is wrong: no more than this is inflated.
    data = bytearray(bomb)
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(b"manifest.json"))
    data[place + 24 : place + 28] = struct.pack("<L", 100)
    with pytest.raises(ArtifactError, match="damaged"):
        read(bytes(data))


def test_limits_are_checked() -> None:
    data = bundled(parts(10))
    for limits, said in (
        (replace(OF_FILES, compressed=100), "more bytes"),
        (replace(OF_FILES, manifest=10), "more objects"),
        (replace(OF_FILES, objects=0), "more objects"),
        (replace(OF_FILES, rows=9), "more rows"),
    ):
        with pytest.raises(ArtifactError, match=said):
            read(data, limits)
    long = bundled(Batch((), {"graph_parts": [("graph", "part" * 2**16)]}))
    with pytest.raises(ArtifactError, match="too long"):
        read(long, replace(OF_REQUESTS, line=2**17))
    with pytest.raises(ArtifactError, match="do not fit into one bundle"):
        bundled(parts(10), replace(OF_FILES, rows=9))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a zip file"),
        (b"{}", "not a zip file"),
        (gzip.compress(b"{}", mtime=0), "a gzip file"),
        (b"PK\x03\x04" + b"\0" * 100, "its end is missing"),
    ],
)
def test_other_files_are_named(data: bytes, said: str) -> None:
    with pytest.raises(ArtifactError, match=said):
        read(data)


@pytest.mark.parametrize("content", [b"{}", b'{"format": "other"}', b"[]", None])
def test_a_zip_without_our_manifest_is_refused(content: bytes | None) -> None:
    def change(files: dict[str, bytes]) -> None:
        del files["manifest.json"]
        if content is not None:
            files["manifest.json"] = content

    with pytest.raises(ArtifactError, match="manifest"):
        read(rezipped(bundled(parts()), change))


def test_a_large_directory_is_refused_before_it_is_read() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(1_000):
            archive.writestr(f"{number}", b"")
    with pytest.raises(ArtifactError, match="its directory is not that of a bundle"):
        read(target.getvalue())


def test_every_truncated_bundle_is_refused(tmp_path: Path) -> None:
    data = bundled(parts())
    for size in range(len(data)):
        (tmp_path / "cut").write_bytes(data[:size])
        with pytest.raises(ArtifactError), opened_bundle(tmp_path / "cut") as found:
            found.batch()


def test_a_name_that_a_nul_cuts_is_refused() -> None:
    data = bytearray(bundled(parts()))
    place = data.rindex(b"PK\x01\x02")
    for start in (46, 50):
        changed = bytearray(data)
        changed[place + start] = 0
        with pytest.raises(ArtifactError, match="damaged"):
            read(bytes(changed))


@given(st.data())
def test_changed_bytes_are_refused_or_change_nothing(data: st.DataObject) -> None:
    original = bundled(parts())
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(changed))
    except ArtifactError:
        return
    # Times and attributes of the zip are not contents.
    assert found == read(original)
