"""Start, end and failures of the server, as an editor meets them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import DEMO
from tests.e2e.lsp.conftest import ORDERS, STAGING, Open, copy_shop
from tests.e2e.lsp.editor import PATIENCE, Editor, variables

pytestmark = pytest.mark.extensive


def test_the_server_answers_before_it_imports_what_is_slow() -> None:
    slow = ("sqlglot", "sqlalchemy", "duckdb", "jinja2", "recce_meta.adapter", "recce_meta.api")
    code = f"import sys, recce_meta.lsp.server; print([name for name in {slow} if name in sys.modules])"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"


def test_the_server_never_imports_what_only_indexing_needs(start: Open, shop: Path) -> None:
    editor = start(shop, environ={"PYTHONVERBOSE": "1"})
    editor.status("ready")
    uri = editor.open(shop / ORDERS)
    assert editor.hover(uri, 0, 0) or editor.symbols(uri)
    editor.wait_for("textDocument/publishDiagnostics")
    assert editor.exit() == 0

    imported = set(re.findall(r"^import '([\w.]+)'", editor.log.read_text(errors="replace"), re.MULTILINE))
    assert {"sqlglot", "sqlalchemy", "recce_meta.lsp.features.diagnostics"} <= imported
    assert not imported & {"http.client", "duckdb", "psycopg", "recce_meta.lsp.project.indexing"}
    assert not [name for name in imported if name.startswith(("recce_meta.sync", "recce_meta.report"))]


def test_other_commands_do_not_import_the_protocol() -> None:
    code = (
        "import sys; from recce_meta.cli.main import run_command_line\n"
        "code = run_command_line(['lsp', '--help']); "
        "sys.exit(code or 'lsprotocol' in sys.modules or 'recce_meta.lsp' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_a_missing_extra_is_one_error_with_the_command_that_installs_it(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['pygls'] = None; from recce_meta.cli.main import main; main()"

    ran = subprocess.run(
        [sys.executable, "-c", hidden, "lsp"],
        env=variables(tmp_path),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )

    assert ran.returncode == 3
    assert "error: The language server needs the package pygls" in ran.stderr
    assert "pip install '.[lsp]'" in ran.stderr
    assert ran.stdout == ""


def test_the_server_offers_all_features(shared: Editor) -> None:
    offered = shared.capabilities

    for name in ("hover", "definition", "references", "codeLens", "completion", "documentSymbol"):
        assert offered[f"{name}Provider"], name
    assert offered["textDocumentSync"]["change"] == 2, "incremental"
    assert {"recce-meta.lineage", "recce-meta.impact", "recce-meta.refresh"} <= {
        *offered["executeCommandProvider"]["commands"]
    }


def test_the_first_reading_of_a_project_says_what_was_read(start: Open, shop: Path) -> None:
    editor = start(shop)

    status = editor.status("ready")
    shown = editor.wait_for("window/showMessage")

    assert (status["models"], status["source"], status["first"]) == (10, "files", True)
    assert shown["message"].startswith("recce_meta read 10 models of jaffle_shop from its files")
    assert editor.exit() == 0

    again = start(shop)
    assert again.status("ready")["first"] is False
    assert not [one for one in again.received if one["method"] == "window/showMessage"]


def test_shutdown_and_exit_end_the_server_with_0(editor: Editor) -> None:
    assert editor.exit() == 0
    assert (editor.noise, editor.log.read_text()) == ([], "")


def test_exit_without_shutdown_ends_the_server_with_1(editor: Editor) -> None:
    editor.notify("exit", None)

    assert editor.process.wait(PATIENCE) == 1


def test_an_editor_that_is_gone_ends_the_server(editor: Editor) -> None:
    assert editor.process.stdin is not None
    editor.process.stdin.close()

    assert editor.process.wait(PATIENCE) == 1
    assert "Traceback" not in editor.log.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_sigterm_ends_the_server(editor: Editor) -> None:
    editor.process.send_signal(signal.SIGTERM)

    assert editor.process.wait(PATIENCE) == 1
    assert "Traceback" not in editor.log.read_text()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_no_process_is_left_if_the_editor_ends_while_the_project_is_read(start: Open, shop: Path) -> None:
    editor = start(shop)
    editor.status("indexing")
    child = _child(editor.process.pid)

    assert editor.exit() == 0

    deadline = time.monotonic() + PATIENCE
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()


def test_a_server_that_was_killed_while_it_read_leaves_nothing_that_stops_the_next_one(
    start: Open, shop: Path
) -> None:
    editor = start(shop)
    editor.status("indexing")
    editor.process.kill()

    assert start(shop).status("ready")["models"] == 10


def test_two_servers_share_a_project(start: Open, shop: Path) -> None:
    editors = [start(shop) for _ in range(2)]

    for editor in editors:
        editor.status("ready", models=10)
        uri = editor.open(shop / ORDERS)
        assert "customer_id" in (editor.hover(uri, 6, 12) or "")
    assert [editor.exit() for editor in editors] == [0, 0]


@pytest.mark.parametrize(
    "params",
    [
        None,
        {"textDocument": 5, "position": {"line": 0, "character": 0}},
        {"textDocument": {"uri": "file:///a.sql"}, "position": {"line": -1, "character": 0}},
    ],
)
def test_a_malformed_request_is_answered(editor: Editor, params: object) -> None:
    answer = editor.request("textDocument/hover", params)

    assert "error" in answer or answer["result"] is None
    assert editor.exit() == 0


def test_shutdown_while_a_command_runs_ends_the_server_with_0(editor: Editor, shop: Path) -> None:
    uri = editor.open(shop / ORDERS)
    request = {
        "jsonrpc": "2.0",
        "method": "workspace/executeCommand",
        "params": {"command": "recce-meta.refresh", "arguments": [uri]},
    }
    for number in range(5):
        editor.send({**request, "id": f"refresh {number}"})

    assert editor.exit() == 0


def test_a_request_before_initialize_is_refused(start: Open, shop: Path) -> None:
    editor = start(shop, starts=False)
    uri = (shop / ORDERS).as_uri()

    params = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}}
    assert editor.request("textDocument/hover", params)["error"]["code"] == -32002
    assert editor.initialize(shop)["serverInfo"]["name"] == "recce_meta"


def test_messages_that_are_not_of_the_protocol_are_survived(shared: Editor) -> None:
    editor, shop = shared, shared.folder
    for body in (b"{", b"[]", b'"text"', b'{"jsonrpc": "2.0"}', b'{"jsonrpc": "2.0", "method": "no/such"}'):
        editor.send_bytes(body)
    editor.notify("textDocument/didChange", {"textDocument": 5})
    editor.notify("textDocument/didOpen", {})
    uri = editor.open(shop / ORDERS)

    assert editor.request("no/such", {})["error"]["code"] == -32601
    assert "customer_id" in (editor.hover(uri, 6, 12) or "")
    assert "Traceback" not in editor.logged()


def test_a_file_that_is_not_open_has_no_answers(shared: Editor) -> None:
    assert shared.hover((shared.folder / "models/marts/customers.sql").as_uri(), 6, 12) is None
    assert shared.symbols((shared.folder / "nothing.sql").as_uri()) == []


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:Untitled-1",
        "file:///C:/Users/me/shop/models/a.sql",
        "file:///c%3A/Users/me/shop/models/a.sql",
        "file://server/share/a.sql",
        "git:/shop/a.sql?ref=main",
        "file:///no%00name.sql",
        "file://[::1",
        "a.sql",
        "",
    ],
)
def test_a_uri_without_a_file_here_has_no_answers(shared: Editor, uri: str) -> None:
    editor = shared
    editor.open(uri, "select 1 as a")
    editor.edit(uri, 2, "select 2 as b")

    assert editor.hover(uri, 0, 12) is None
    assert editor.symbols(uri) == []
    assert "failed" not in editor.logged()


def test_a_file_outside_a_project_has_answers_from_its_text(shared: Editor, tmp_path: Path) -> None:
    editor = shared
    alone = tmp_path / "alone.sql"
    alone.write_text("select a as renamed from t")

    uri = editor.open(alone)

    assert "renamed" in editor.symbols(uri)
    assert "is not in a dbt project" in editor.refused("lineage", uri)
    assert "failed" not in editor.logged()


def test_a_broken_project_file_is_a_status_with_the_reason_until_it_is_repaired(
    start: Open, shop: Path
) -> None:
    project = shop / "dbt_project.yml"
    valid = project.read_text()
    project.write_text("name: [unfinished")
    editor = start(shop)

    failed = editor.status("failed")

    assert "dbt_project.yml" in failed["message"]
    assert editor.wait_for("window/showMessage")["message"] == failed["message"]
    project.write_text(valid)
    editor.save(project.as_uri())
    assert editor.status("ready")["models"] == 10


def test_a_project_that_breaks_keeps_its_index(editor: Editor, shop: Path) -> None:
    uri = editor.open(shop / ORDERS)
    (shop / "dbt_project.yml").write_text("name: [unfinished")
    editor.save((shop / "dbt_project.yml").as_uri())

    editor.status("failed")

    assert "stg_orders" in (editor.hover(uri, 6, 12) or "")


@pytest.mark.parametrize("name", ["my shop", "Läden #1", "100%25", "店", "a+b?c"])
def test_any_folder_name_works(start: Open, tmp_path: Path, name: str) -> None:
    shop = copy_shop(tmp_path / name)
    editor = start(shop)
    editor.status("ready")

    uri = editor.open(shop / ORDERS)
    found = editor.call("textDocument/definition", _at(shop / ORDERS, "ref('stg_orders')", 6))

    assert "stg_orders" in (editor.hover(uri, 6, 12) or "")
    assert [place["uri"] for place in _listed(found)] == [(shop / STAGING).as_uri()]


def test_each_project_of_a_folder_has_an_index_of_its_own(start: Open, tmp_path: Path) -> None:
    first, second = copy_shop(tmp_path / "all" / "first"), copy_shop(tmp_path / "all" / "second")
    (second / ORDERS).write_text("select order_id as second_id from {{ ref('stg_orders') }}")
    editor = start(tmp_path / "all")

    uris = [editor.open(shop / ORDERS) for shop in (first, second)]
    assert {editor.status("ready")["project"] for _ in uris} == {str(first), str(second)}

    graphs = [editor.command("graphColumns", uri, "orders") for uri in uris]
    has_second = [any(column["name"] == "second_id" for column in graph["columns"]) for graph in graphs]
    assert has_second == [False, True]


def test_installed_packages_belong_to_the_project_that_installed_them(shared: Editor) -> None:
    editor, shop = shared, shared.folder
    package = copy_shop(shop / "dbt_packages" / "tools")

    editor.open(package / ORDERS)

    assert editor.command("status", (package / ORDERS).as_uri())["project"] == str(shop)


def test_the_server_reads_a_manifest_that_dbt_wrote(start: Open, tmp_path: Path) -> None:
    shop = copy_shop(tmp_path / "shop")
    editor = start(shop, workspace={"didChangeWatchedFiles": {"dynamicRegistration": True}})
    editor.status("ready", source="files")
    registered = [one for one in editor.received if one["method"] == "client/registerCapability"]
    assert "manifest" in json.dumps(registered)

    shutil.copytree(DEMO / "base", shop / "target")
    changes = [{"uri": path.as_uri(), "type": 1} for path in (shop / "target").iterdir()]
    editor.notify("workspace/didChangeWatchedFiles", {"changes": changes})

    assert editor.wait_for("recceMeta/status", lambda found: found["source"] in ("manifest", "both"))


def test_standard_output_is_the_protocol_alone(editor: Editor, shop: Path) -> None:
    uri = editor.open(shop / ORDERS)
    editor.command("impact", uri)
    editor.refused("push", uri)
    editor.exit()

    assert editor.noise == []


def _child(parent: int) -> int:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for entry in os.listdir("/proc"):
            try:
                stat = Path(f"/proc/{entry}/stat").read_text() if entry.isdigit() else ""
            except OSError:
                continue
            if stat and int(stat.rpartition(")")[2].split()[1]) == parent:
                return int(entry)
    raise AssertionError("the server has started no process")


def _at(path: Path, word: str, plus: int) -> dict[str, object]:
    before = path.read_text()[: path.read_text().index(word) + plus]
    position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
    return {"textDocument": {"uri": path.as_uri()}, "position": position}


def _listed(found: object) -> list[dict[str, str]]:
    return found if isinstance(found, list) else [found] if isinstance(found, dict) else []
