"""Edits, features and commands over the protocol: positions, versions, and answers to wrong arguments."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import DEMO
from tests.e2e.lsp.conftest import ORDERS, STAGING, Open
from tests.e2e.lsp.editor import Editor, Json, variables

pytestmark = pytest.mark.extensive


def published(editor: Editor, uri: str, version: int) -> list[Json]:
    """Wait for the diagnostics of a version of a text."""
    found = editor.wait_for(
        "textDocument/publishDiagnostics",
        lambda params: params["uri"] == uri and params.get("version") == version,
    )
    return list(found["diagnostics"])


def test_incremental_edits_count_characters_as_utf_16(shared: Editor, tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text("")
    uri = shared.open(path, "select '😀é' as one,\r\n  2 as two\r\nfrom t")

    # Behind the emoji, which has two units; then on the line after a Windows line end.
    shared.edit(uri, 2, "first", (0, 16, 0, 19))
    shared.edit(uri, 3, "second", (1, 7, 1, 10))

    assert {"first", "second"} <= set(shared.symbols(uri))


def test_positions_are_in_the_units_that_the_editor_prefers(start: Open, shop: Path, tmp_path: Path) -> None:
    editor = start(shop, general={"positionEncodings": ["utf-8", "utf-16"]})
    assert editor.capabilities["positionEncoding"] == "utf-8"
    path = tmp_path / "a.sql"
    path.write_text("")

    uri = editor.open(path, "select '😀é' as one from t")
    editor.edit(uri, 2, "first", (0, 19, 0, 22))

    assert "first" in editor.symbols(uri)


def test_line_separators_of_unicode_do_not_end_a_line(shared: Editor, tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text("")
    uri = shared.open(path, "select '\u2028\x0c' as one,\n2 as two from t")

    shared.edit(uri, 2, "second", (1, 5, 1, 8))

    assert "second" in shared.symbols(uri)


def test_a_removed_column_is_a_diagnostic_of_the_edited_version(editor: Editor, shop: Path) -> None:
    path = shop / "models/staging/stg_payments.sql"
    uri, text = editor.open(path), path.read_text()
    assert published(editor, uri, 1) == []

    edited = text.replace("as amount", "as amount_in_dollars")
    assert edited != text
    editor.edit(uri, 2, edited)

    messages = [one["message"] for one in published(editor, uri, 2)]
    assert any("amount" in message and "int_order_payments" in message for message in messages), messages
    editor.edit(uri, 3, text)
    assert published(editor, uri, 3) == []


def test_only_the_last_of_quick_edits_is_analysed(editor: Editor, shop: Path) -> None:
    uri, text = editor.open(shop / STAGING), (shop / STAGING).read_text()
    published(editor, uri, 1)

    for version in range(2, 30):
        editor.edit(uri, version, f"{text}\n-- {version}")

    published(editor, uri, 29)
    versions = [
        one["params"].get("version")
        for one in editor.received
        if one["method"] == "textDocument/publishDiagnostics" and one["params"]["uri"] == uri
    ]
    assert len(versions) < 10


def test_a_closed_text_loses_its_diagnostics(editor: Editor, shop: Path) -> None:
    path = shop / "models/staging/stg_payments.sql"
    uri = editor.open(path, path.read_text().replace("as amount", "as price"))
    assert published(editor, uri, 1)

    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    closed = editor.wait_for("textDocument/publishDiagnostics", lambda params: params["uri"] == uri)
    assert (closed["diagnostics"], closed.get("version")) == ([], None)
    assert editor.symbols(uri) == []


def test_an_unsaved_column_is_known_in_other_open_texts(editor: Editor, shop: Path) -> None:
    staging, orders = editor.open(shop / STAGING), editor.open(shop / ORDERS)
    for uri in (staging, orders):
        published(editor, uri, 1)
    text = (shop / STAGING).read_text()
    editor.edit(staging, 2, text.replace("select", "select 1 as brand_new,", 1))
    published(editor, staging, 2)
    edited = "select brand_new from {{ ref('stg_orders') }}"

    editor.edit(orders, 2, edited)

    assert not [one for one in published(editor, orders, 2) if "brand_new" in one["message"]]
    assert "stg_orders" in (editor.hover(orders, 0, 10) or "")


def test_a_saved_column_is_known_in_other_open_texts_before_the_project_is_read_again(
    editor: Editor, shop: Path
) -> None:
    staging, orders = editor.open(shop / STAGING), editor.open(shop / ORDERS)
    for uri in (staging, orders):
        published(editor, uri, 1)
    text = (shop / STAGING).read_text().replace("select", "select 1 as brand_new,", 1)
    editor.edit(staging, 2, text)
    published(editor, staging, 2)

    (shop / STAGING).write_text(text)
    editor.save(staging)
    editor.edit(orders, 2, "select brand_new from {{ ref('stg_orders') }}")

    assert not [one for one in published(editor, orders, 2) if "brand_new" in one["message"]]


def test_a_saved_file_is_read_again(editor: Editor, shop: Path) -> None:
    new = shop / "models/marts/fresh.sql"
    new.write_text("select order_id as fresh_id from {{ ref('orders') }}")

    uri = editor.open(new)
    editor.save(uri)
    editor.status("ready", models=11)

    columns = editor.command("graphColumns", uri, "fresh")["columns"]
    assert [column["name"] for column in columns] == ["fresh_id"]


def test_a_manifest_is_found_for_an_editor_that_watches_no_files(editor: Editor, shop: Path) -> None:
    uri = editor.open(shop / ORDERS)
    shutil.copytree(DEMO / "base", shop / "target")
    with gzip.open(shop / "target" / "manifest.json.gz") as packed:
        (shop / "target" / "manifest.json").write_bytes(packed.read())

    for _ in range(60):
        editor.hover(uri, 6, 12)
        if editor.command("status", uri)["source"] != "files":
            return
        time.sleep(0.25)
    pytest.fail("the manifest was not read")


COMMANDS: list[tuple[str, list[Any]]] = [
    ("lineage", []),
    ("lineage", [5]),
    ("lineage", ["URI", "more"]),
    ("impact", ["URI", 5]),
    ("impact", ["URI", {"line": -1, "character": 0}]),
    ("impact", ["URI", {"line": "x"}]),
    ("impact", ["URI", None, "xml"]),
    ("impact", ["URI", "no_such_column"]),
    ("graph", ["URI", 5]),
    ("graph", ["URI", "up=many"]),
    ("graph", ["URI", "node=nothing"]),
    ("graphColumns", ["URI"]),
    ("graphColumns", ["URI", "stg_orders", "", 0]),
    ("graphColumns", ["URI", "stg_orders", "", "x"]),
    ("graphPath", ["URI", "stg_orders"]),
    ("graphPath", ["URI", "stg_orders", "no_such_column"]),
    ("refresh", ["file:///nowhere/a.sql"]),
    ("push", [{"url": "x"}]),
    ("preview", ["URI"]),
]


@pytest.mark.parametrize(("name", "arguments"), COMMANDS)
def test_wrong_arguments_of_a_command_are_an_error_in_words(
    shared: Editor, name: str, arguments: list[Any]
) -> None:
    uri = shared.open(shared.folder / ORDERS)

    message = shared.refused(name, *(uri if one == "URI" else one for one in arguments))

    assert message and "Traceback" not in message and "Error:" not in message, message


def test_lineage_and_impact_answer_in_text_and_data(shared: Editor) -> None:
    uri = shared.open(shared.folder / STAGING)

    lineage = shared.command("lineage", uri)
    markdown = shared.command("impact", uri, "customer_id")
    document = shared.command("impact", uri, {"line": 2, "character": 6}, "json")

    assert "raw_orders (seed)" in lineage["text"] and "orders (model)" in lineage["text"]
    assert {node["name"] for node in lineage["graph"]["nodes"]} == {"raw_orders", "stg_orders", "orders"}
    assert markdown.startswith("### Impact of `stg_orders.customer_id`")
    assert "As of the index of" in markdown
    assert (document["schema"], document["column"]) == ("recce_meta/impact/v1", "customer_id")


def test_an_editor_that_opens_no_files_shows_the_result_of_a_lens_as_a_message(editor: Editor) -> None:
    uri = editor.open(editor.folder / STAGING)

    found = editor.command("impact", uri, "customer_id")
    shown = editor.wait_for("window/showMessage", lambda params: "Impact" in params["message"])

    assert found.startswith(shown["message"].partition("\n")[0])


def test_a_client_that_shows_results_itself_gets_no_second_window(start: Open, shop: Path) -> None:
    window = {"showDocument": {"support": True}}
    editor = start(shop, settings={"showsResults": True}, window=window)
    editor.status("ready")
    uri = editor.open(shop / STAGING)

    assert editor.command("impact", uri) and editor.command("lineage", uri)
    assert editor.exit() == 0

    shown = [one for one in editor.received if one["method"].startswith("window/show")]
    assert [one["params"]["message"].split()[0] for one in shown] == ["recce_meta"], "only what was read"


def test_graph_data_is_that_of_the_pages_with_links_to_files(shared: Editor) -> None:
    uri = shared.open(shared.folder / STAGING)

    view = shared.command("graph", uri, "up=0&down=1")
    path = shared.command("graphPath", uri, "stg_orders", "customer_id")

    links = {node["name"]: node["href"] for node in view["nodes"]}
    assert links == {"stg_orders": uri, "orders": (shared.folder / ORDERS).as_uri()}
    assert {column["name"] for column in path["columns"]} >= {"raw_orders", "stg_orders", "orders"}


def test_the_recorded_runs_are_compared_with_and_exchanged(start: Open, shop: Path, tmp_path: Path) -> None:
    shutil.copytree(DEMO / "base", shop / "target")
    (shop / "recce_meta.yml").write_text(f"store: {{url: duckdb:///{shop}/runs.duckdb}}\nremote: runs.zip\n")
    (tmp_path / "home").mkdir()
    subprocess.run(
        [sys.executable, "-m", "recce_meta", "record", "--environment", "base"],
        cwd=shop,
        env=variables(tmp_path / "home"),
        capture_output=True,
        check=True,
    )
    editor = start(shop)

    status = editor.status("ready")
    uri = (shop / ORDERS).as_uri()
    before = editor.command("syncStatus", uri)
    pushed = editor.command("push", uri)
    after = editor.command("syncStatus", uri)

    assert "run of base" in status["base"] and f"comparing with {status['base']}" in status["message"]
    assert (before["remote"], before["last_sync"]) == (str(shop / "runs.zip"), None)
    assert "1 run" in pushed and (shop / "runs.zip").exists()
    assert after["last_sync"] is not None and (after["conflicts"], after["error"]) == (0, None)


def test_sync_status_is_unknown_without_a_store_and_push_says_what_to_do(shared: Editor) -> None:
    status = shared.command("syncStatus")

    assert (status["remote"], status["last_sync"], status["pending"], status["error"]) == (None,) * 4
    assert "jaffle_shop.duckdb" in status["message"]
    assert "set RECCE_META_REMOTE or remote in recce_meta.yml" in shared.refused("push")
