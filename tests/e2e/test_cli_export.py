"""`export` and `import`: runs as files and back, and what cannot be read or written."""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import os
import shutil
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import msgspec
import pytest

from recce_meta import plugins
from recce_meta.store.export_document import Document
from tests.e2e.conftest import Cli

pytestmark = pytest.mark.extensive

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "export.v3.json"
AS_WRITTEN = "all_varchar = true, allow_quoted_nulls = false"
"""How DuckDB reads CSV in which NULL is nothing, and an empty text is two quotes."""
FACTS = """SELECT run_id, unique_id, row_estimate, bytes, created_at, altered_at
FROM recce_metadata.store_fact_parts JOIN recce_metadata.store_relation_facts USING (part_id)"""
"""What `relation_facts` holds, for each run that has it."""
HOSTILE = '=1+1,"q"\n\'\\N é'


@pytest.fixture(scope="module")
def small(_recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A part of the demo's later run, which is quick to read."""
    folder = tmp_path_factory.mktemp("small")
    shutil.copy(_recorded, folder / "store.duckdb")
    ran = Cli(folder)("export", "current", "-s", "orders", "--url", "duckdb:///store.duckdb")
    assert ran.code == 0, ran.err
    return ran.out.encode()


def sealed(text: str) -> bytes:
    """*text*, a document that was changed, with the hash that it should have then."""
    body = text.encode().rpartition(b',\n"sha256":"')[0]
    return body + b',\n"sha256":"' + sha256(body).hexdigest().encode() + b'"}\n'


def test_a_run_goes_out_to_a_file_and_comes_back_whole(store: Any) -> None:
    printed = store("export", "current")
    plain = store("export", "current", "-o", "run.json")
    packed = store("export", "current", "-o", "run.json.gz")
    again = store("export", "current", "-o", "again.json.gz")
    files = [store.folder / name for name in ("run.json", "run.json.gz", "again.json.gz")]
    assert printed.out.encode() == files[0].read_bytes() == gzip.decompress(files[1].read_bytes())
    assert files[1].read_bytes() == files[2].read_bytes()
    assert (printed.err, packed.out, plain.code, again.code) == ("", "", 0, 0)
    assert "40 nodes\n  run.json.gz\n" in packed.err

    files[0].write_bytes(codecs.BOM_UTF8 + files[0].read_bytes())  # as some editors leave it
    elsewhere = store.within(RECCE_META_URL="duckdb:///elsewhere.duckdb")
    first = elsewhere("import", "run.json.gz", "--format", "json")
    second = elsewhere("import", "run.json")

    (told,) = json.loads(first.out)["runs"]
    assert (told["is_new"], told["cut_from"], told["run"]["environment"]) == (True, None, "current")
    assert second.out == "Run 0829a5f9 of jaffle_shop as current already exists; nothing written\n"
    assert elsewhere("export", "latest").out == printed.out
    for question in (["show", "--format", "json"], ["lineage", "orders", "--run", "current"]):
        assert elsewhere(*question).out == store(*question).out


def test_a_run_goes_out_as_openlineage(store: Any) -> None:
    ran = store.within(OPENLINEAGE_NAMESPACE="nightly")(
        "export", "current", "--format", "openlineage", "-o", "run.ndjson.gz"
    )
    assert ran.code == 0, ran.err
    with gzip.open(store.folder / "run.ndjson.gz") as file:
        events = [json.loads(line) for line in file]

    done = {event["job"]["name"]: event for event in events if event["eventType"] == "COMPLETE"}
    assert len(events) == 2 * len(done) == 26
    orders = done["jaffle_shop.pr_42.jaffle_shop.orders"]
    assert orders["job"]["namespace"] == "nightly"
    (output,) = orders["outputs"]
    assert (output["namespace"], output["name"]) == (
        f"duckdb://{store.folder / 'store.duckdb'}",
        "jaffle_shop.pr_42.orders",
    )
    reads = output["facets"]["columnLineage"]["fields"]["status"]["inputFields"]
    assert [(one["name"], one["field"]) for one in reads] == [("jaffle_shop.pr_42.stg_orders", "status")]


def test_the_document_is_as_its_schema_says(small: bytes) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)

    jsonschema.validate(json.loads(small), schema)

    now = msgspec.json.schema(Document)["$defs"]
    assert list(schema["properties"]) == list(json.loads(small)) == list(now.pop("Document")["properties"])
    assert {name: list(kind.get("properties", ())) for name, kind in schema["$defs"].items()} == {
        name: list(kind.get("properties", ())) for name, kind in now.items()
    }, "run python scripts/build_schemas.py"


def test_several_runs_go_into_another_store(store: Any) -> None:
    ran = store("export", "base", "current", "--to", "duckdb:///far.duckdb", "--to-schema", "kept")

    assert ran.code == 0, ran.err
    assert [line.split(" of ")[0] for line in ran.out.splitlines()] == [
        "Exported run bc1c9a92",
        "Exported run 0829a5f9",
    ]
    far = store.within(RECCE_META_URL="duckdb:///far.duckdb", RECCE_META_SCHEMA="kept")
    assert far("runs", "--format", "json").out == store("runs", "--format", "json").out


def test_a_selection_says_what_it_is_a_part_of(store: Any) -> None:
    ran = store("export", "current", "-s", "+orders", "--exclude", "resource_type:test", "-o", "part.json")
    assert ran.code == 0, ran.err
    part = json.loads((store.folder / "part.json").read_bytes())

    told = store("import", "part.json").out

    assert part["cut_from"] == {
        "run_id": "0829a5f9-93e6-45e3-a60a-723842179ae3",
        "select": ["+orders"],
        "exclude": ["resource_type:test"],
        "node_count": 40,
    }
    ids = {node["unique_id"] for node in part["nodes"]}
    assert "model.jaffle_shop.orders" in ids and all(set(node["parents"]) <= ids for node in part["nodes"])
    assert f"{len(ids)} nodes of the 40 of 0829a5f9" in told


def test_csv_and_parquet_hold_what_sql_shows(store: Any) -> None:
    with duckdb.connect(str(store.folder / "store.duckdb")) as connection:
        connection.execute(
            "UPDATE recce_metadata.store_node_versions SET description = ?, access = NULL "
            "WHERE unique_id = 'model.jaffle_shop.orders'",
            [HOSTILE],
        )
    (store.folder / "tables").mkdir()
    (store.folder / "tables" / "nodes.csv").write_text("of an export before")
    assert "is not empty" in store("export", "--format", "csv", "-o", "tables").err
    tables = store("export", "base", "current", "--format", "csv", "-o", "tables", "--force")
    columns = store("export", "base", "current", "--format", "parquet", "-o", "columns")
    assert (tables.code, columns.code) == (0, 0), tables.err + columns.err
    assert "files in tables" in tables.err

    with (store.folder / "tables" / "nodes.csv").open(newline="", encoding="utf-8") as file:
        nodes = {(row["environment"], row["unique_id"]): row for row in csv.DictReader(file)}
    assert nodes["current", "model.jaffle_shop.orders"]["description"] == HOSTILE
    assert nodes["current", "model.jaffle_shop.orders"]["run_at"] == "2026-11-20T08:43:36.003099Z"
    names = sorted(path.stem for path in (store.folder / "columns").iterdir())
    assert {"runs", "nodes", "node_columns", "lineage", "column_lineage", "run_results"} <= set(names)
    with duckdb.connect(str(store.folder / "store.duckdb")) as connection:
        for name in names:
            stored = (
                f"store_{name}"
                if name in ("data_diffs", "column_diffs", "check_results", "reviews")
                else name
            )
            shown = f"SELECT * FROM recce_metadata.{stored}" if name != "relation_facts" else FACTS
            parquet = f"SELECT * FROM '{store.folder}/columns/{name}.parquet'"
            text = f"SELECT * FROM read_csv('{store.folder}/tables/{name}.csv', {AS_WRITTEN})"
            types = [row[:2] for row in connection.execute(f"DESCRIBE {shown}").fetchall()]
            assert [row[:2] for row in connection.execute(f"DESCRIBE {parquet}").fetchall()] == types
            ours = f"SELECT COLUMNS(*)::VARCHAR FROM ({shown})"
            typed = ", ".join(f'"{column}"::{kind}::VARCHAR' for column, kind in types)
            for theirs in (f"SELECT COLUMNS(*)::VARCHAR FROM ({parquet})", f"SELECT {typed} FROM ({text})"):
                differing = f"(({ours}) EXCEPT ALL ({theirs})) UNION ALL (({theirs}) EXCEPT ALL ({ours}))"
                assert connection.execute(differing).fetchall() == [], (name, theirs)
            if name == "nodes":  # both kinds of nothing were among them
                both = f"SELECT bool_or(description = '') AND bool_or(contract IS NULL) FROM ({text})"
                assert connection.execute(both).fetchall() == [(True,)]


REFUSED = [
    (["--format", "xml"], 2, "Unknown format 'xml'\nhint: one of: json, openlineage, csv, parquet"),
    (["--format", "parquett", "-o", "x"], 2, "hint: did you mean 'parquet'?"),
    (["nowhere"], 2, "Run 'nowhere' not found"),
    (["-s", "no_such_model"], 2, "The selection matches no node of run 0829a5f9"),
    (["-s", "state:what:ever:"], 2, "error: "),
    (["base", "current"], 2, "JSON holds one run, got 2"),
    (["base", "current", "-o", "x.json"], 2, "Format json holds one run, got 2"),
    (
        ["--format", "csv"],
        2,
        "Format csv cannot be written to standard output\nhint: name a file or folder with -o PATH",
    ),
    (
        ["--to", "duckdb:///x.duckdb", "-o", "x.json"],
        2,
        "--to cannot be combined with --format, -o or --force",
    ),
    (["--to", "duckdb:///:memory:"], 3, "Cannot create a store in an in-memory database"),
    (["--to-schema", "x"], 2, "--to-schema requires --to"),
    (["-o", "no/such/folder/x.json"], 3, "no/such/folder: No such file or directory"),
    (["-o", "taken.json"], 2, "taken.json already exists\nhint: use --force to replace it"),
    (["--format", "csv", "-o", "taken.json"], 2, "taken.json is a file, but a folder is required"),
    (["--format", "csv", "-o", "full", "--force"], 2, "full contains a file not written by export: mine.txt"),
    (["-o", "full", "--force"], 2, "full is a folder that is not empty"),
    (["--url", "duckdb:///none.duckdb"], 3, "none.duckdb"),
]
"""What is asked of `export`, the code that it ends with, and what it says."""


def test_what_cannot_be_exported_is_one_error(store: Any) -> None:
    (store.folder / "taken.json").write_text("mine")
    (store.folder / "full").mkdir()
    (store.folder / "full" / "mine.txt").write_text("mine")
    before = sorted(store.folder.rglob("*"))

    for arguments, code, said in REFUSED:
        ran = store("export", *arguments)

        assert (ran.code, ran.out) == (code, ""), (arguments, ran.err)
        assert said in ran.err and "Traceback" not in ran.err and "bug" not in ran.err, (arguments, ran.err)
        assert sorted(store.folder.rglob("*")) == before, arguments
    assert (store.folder / "taken.json").read_text() == "mine"


def test_force_replaces_what_an_export_wrote(store: Any) -> None:
    (store.folder / "x.json").write_text("mine")
    assert store("export", "base", "-o", "x.json", "--force").code == 0
    assert (store.folder / "x.json").read_text().startswith('{"schema":"recce_meta/export/v3"')
    assert not [path for path in store.folder.iterdir() if path.name.startswith(".")]


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_is_told(store: Any) -> None:
    ran = store("export", "-o", "/dev/full")

    assert (ran.code, ran.err) == (3, "error: /dev/full: No space left on device\n")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(store: Any) -> None:
    (store.folder / "locked").mkdir(mode=0o500)

    ran = store("export", "-o", "locked/x.json")

    assert ran.code == 3 and "locked/x.json: Permission denied" in ran.err


def replaced(before: str, after: str) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(before.encode(), after.encode(), 1)


def resealed(before: str, after: str) -> Callable[[bytes], bytes]:
    return lambda data: sealed(data.decode().replace(before, after, 1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: b"", "it is damaged: Input data was truncated"),
        (lambda data: data[:5000], "it is damaged: Input data was truncated"),
        (lambda data: gzip.compress(data)[:-500], "it is damaged: Compressed file ended before"),
        (lambda data: data[:300] + b"#" + data[301:], "it is damaged: "),
        (lambda data: b"\xff\xfe" + data, "it is damaged: JSON is malformed: invalid character (byte 0)"),
        (lambda data: data[:-20] + b"\xff" + data[-19:], "it is damaged: "),
        (lambda data: data.replace(b'"macro.dbt', b'"\xffacro.dbt', 1), "it is damaged: "),
        (replaced('"orders"', '"0rders"'), "it is damaged: its contents do not match sha256"),
        (lambda data: json.dumps(json.loads(data), indent=1).encode(), "its last member is not sha256"),
        (lambda data: b"[" * 100_000, "it is not a document of recce-meta export"),
        (lambda data: b"{}", 'it is not a document of recce-meta export (its "schema" is not'),
        (lambda data: b'{"metadata": {}, "nodes": {}}', "it is not a document of recce-meta export"),
        (lambda data: b"[1]", "it is not a document of recce-meta export"),
        (replaced("export/v3", "diff/v1"), "it is not a document of recce-meta export"),
        (replaced("export/v3", "export/v4"), "wrote it in version 4 of the format"),
        (resealed('"fqn":["jaffle_shop"', '"fqn":[7'), "got `int` - at `$.nodes[0].fqn["),
        (resealed('"node_count":1,', '"node_count":"1",'), "got `str` - at `$.run.node_count`"),
        (resealed('"status":"success"', '"status":null'), "got `null` - at `$.results[0].status`"),
        (resealed('"macro_ids":{', '"macro_ids":{"macro.x":"0",'), "`$.macro_ids` does not match the macros"),
        (resealed('"graph":{', '"graph":{"p":{"model.x":"0"},'), "`$.graph` does not match the nodes and"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why_and_changes_nothing(
    cli: Any, small: bytes, change: Callable[[bytes], bytes], said: str
) -> None:
    (cli.folder / "run.json").write_bytes(change(small))

    ran = cli("import", "run.json", "--url", "duckdb:///elsewhere.duckdb")

    assert ran.code == 3 and ran.err.startswith("error: run.json cannot be imported: ")
    assert said in ran.err and ran.err.count("\n") == 2
    assert not (cli.folder / "elsewhere.duckdb").exists()


def test_import_reads_standard_input_and_refuses_other_contents_under_the_same_id(
    cli: Any, small: bytes
) -> None:
    here = cli.within(RECCE_META_URL="duckdb:///here.duckdb")
    (cli.folder / "one.json").write_bytes(small)
    (cli.folder / "two.json").write_bytes(resealed('"command":"build"', '"command":"x"')(small))

    assert "Imported run" in here("import", "-", input=small.decode()).out
    ran = here("import", "one.json", "two.json")

    assert (ran.code, ran.out) == (3, "")
    assert "is already stored with other contents: command differs" in ran.err


def test_an_exporter_of_another_package_is_given_the_run_and_a_path(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def names(export: Any, path: Path) -> list[Path]:
        path.mkdir()
        (path / "names.txt").write_text("\n".join(node.name for node in export.project.nodes))
        return [path / "names.txt"]

    def broken(export: Any, path: Path) -> list[Path]:
        path.write_text("half")
        raise ValueError("no such thing")

    def leaving(export: Any, path: Path) -> list[Path]:
        sys.exit(5)

    found = {
        "names": names,
        "broken": broken,
        "leaving": leaving,
        "lazy": lambda _, path: [path],
        "text": lambda _, path: str(path),
    }
    monkeypatch.setattr(plugins, "exporter_named", lambda name, built_in: found[name])

    written = store("export", "current", "--format", "names", "-o", "out")
    failed = store("export", "current", "--format", "broken", "-o", "broken")

    assert written.code == 0 and "  out/names.txt\n" in written.err
    assert "orders" in (store.folder / "out" / "names.txt").read_text().splitlines()
    assert failed.code == 3 and "Cannot use exporter 'broken'" in failed.err and "no such thing" in failed.err
    for name, said in (
        ("leaving", "SystemExit: 5"),
        ("lazy", "wrote nothing"),
        ("text", "instead of a list of paths"),
    ):
        ran = store("export", "current", "--format", name, "-o", "out2")
        assert ran.code == 3 and f"exporter '{name}'" in ran.err and said in ran.err, ran.err
    assert sorted(path.name for path in store.folder.iterdir()) == ["out", "store.duckdb"]


def test_who_reads_may_go_away(store: Any) -> None:
    import subprocess

    command = [sys.executable, "-m", "recce_meta", "export", "--url", "duckdb:///store.duckdb"]
    root = str(Path(__file__).parents[2])
    line = " ".join(command) + " | head -c 10; exit ${PIPESTATUS[0]}"
    bash = shutil.which("bash")
    assert bash is not None
    ran = subprocess.run(
        [bash, "-c", line],
        cwd=store.folder,
        env={**store.variables, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, '{"schema":', "")
