"""`note` and `notes`: annotations of nodes, columns and edges, from the command line to every report."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from recce_meta import NoteEdit, UnifiedSqlAdapter, add_note, list_notes, note_history, render_report
from recce_meta.errors import SelectorError, UsageError
from tests.e2e.conftest import Cli, ProcessCli

NASTY = "red \x1b[31m \x07 \u202e\n| x | `y` <b>@team</b>"


@pytest.fixture
def shop(store: Cli) -> Cli:
    """The command on the store of the demo, in a folder without git."""
    alone = {"GIT_CEILING_DIRECTORIES": str(store.folder.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    return store.within(**alone, USER="ann", LOGNAME="ann")


def document(cli: Cli, *arguments: str) -> Any:
    ran = cli(*arguments, "--format", "json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def present(cli: Cli, *arguments: str) -> list[tuple[Any, ...]]:
    """Return where annotations are, and their values."""
    return [
        (
            one["unique_id"].rpartition(".")[2],
            one["column_name"],
            (one["parent_id"] or "").rpartition(".")[2],
            one["parent_column"],
            one["note"],
            *one["tags"],
            *one["owners"],
        )
        for one in document(cli, "notes", *arguments)["annotations"]
    ]


@pytest.mark.extensive
def test_a_node_a_column_and_edges_have_notes_of_their_own(shop: Cli) -> None:
    for arguments in (
        ("orders", "refunds are negative", "--tag", "pii", "--tag", "core", "--owner", "Finance"),
        ("orders.AMOUNT", "in cents"),
        ("orders", "one row each", "--from", "stg_orders"),
        ("orders.amount", "without failed ones", "--from", "int_order_payments.paid_amount"),
        ("model.jaffle_shop.customers", "--owner", "Sales"),
    ):
        ran = shop("note", *arguments)
        assert ran.code == 0, ran.err
        assert ran.err == ""
    edge = ("orders", None, "stg_orders", None, "one row each")
    column = ("orders", "amount", "", None, "in cents")
    column_edge = ("orders", "amount", "int_order_payments", "paid_amount", "without failed ones")
    orders = ("orders", None, "", None, "refunds are negative", "core", "pii", "Finance")

    assert present(shop) == [
        ("customers", None, "", None, None, "Sales"), orders, column, edge, column_edge,
    ]  # fmt: skip
    assert present(shop, "orders") == [orders, column, edge, column_edge]
    assert present(shop, "orders.amount") == [column, column_edge]
    assert present(shop, "orders", "--from", "stg_orders") == [edge]
    assert present(shop, "orders.amount", "--from", "int_order_payments.paid_amount") == [column_edge]
    assert present(shop, "stg_orders") == []


def test_note_prints_what_is_stored_and_each_change_has_an_author(shop: Cli) -> None:
    first = shop("note", "orders", "one", "--author", "Bob  <bob@example.com>").out
    assert "one" in first and "Bob <bob@example.com>" in first
    second = shop("note", "orders", "--tag", "pii").out
    assert "one" in second and "pii" in second and "ann" in second
    assert shop("note", "orders").out == second
    assert shop("note", "customers").out == "No notes, tags or owners\n"

    subprocess.run(["git", "init", "--quiet"], cwd=shop.folder, check=True)
    subprocess.run(["git", "config", "user.name", "Ann Lee"], cwd=shop.folder, check=True)
    assert "Ann Lee" in shop("note", "orders", "two").out
    subprocess.run(["git", "config", "user.email", "ann@example.com"], cwd=shop.folder, check=True)
    assert "Ann Lee <ann@example.com>" in shop("note", "orders", "three").out


def test_a_note_can_be_replaced_and_deleted_and_its_history_stays(shop: Cli) -> None:
    shop("note", "orders", "one", "--tag", "a", "--owner", "X")
    shop("note", "orders", "two", "--author", "Bob", "--untag", "a", "--tag", "b")
    assert present(shop) == [("orders", None, "", None, "two", "b", "X")]
    assert shop("note", "orders", "--delete", "--untag", "b", "--remove-owner", "X").out == (
        "No notes, tags or owners\n"
    )
    assert present(shop) == []
    shop("note", "orders", "three")

    changes = document(shop, "notes", "orders", "--history")["changes"]
    assert [(one["item"], one["value"], one["is_latest"]) for one in changes] == [
        ("", "three", True), ("", None, False), ("", "two", False), ("", "one", False),
        ("a", None, True), ("a", "true", False), ("b", None, True), ("b", "true", False),
        ("X", None, True), ("X", "true", False),
    ]  # fmt: skip
    lines = shop("notes", "--history").out.splitlines()
    states = [next(word for word in line.split() if word in ("present", "replaced", "deleted")) for line in
              lines[1:]]  # fmt: skip
    assert states[:4] == ["present", "replaced", "replaced", "replaced"]
    assert "Bob" in lines[3]


@pytest.mark.cases(4)
@pytest.mark.cases(8)
@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("ordrs", "x"), "Node 'ordrs' not found", "did you mean 'orders'"),
        (("orders.amont", "x"), "has no column 'amont'", "did you mean 'amount'"),
        (
            ("orders", "x", "--from", "customers"),
            "does not read model.jaffle_shop.customers",
            "its parents: ",
        ),
        (("raw_orders", "x", "--from", "orders"), "does not read", "it has no known parents"),
        (
            ("orders.amount", "x", "--from", "stg_orders.status"),
            "does not read column status",
            "its sources: ",
        ),
        (("orders.amount", "x", "--from", "stg_orders"), "two nodes or two columns", "name a column on both"),
        (("orders", "x", "--delete"), "cannot be set and deleted", "do one of them"),
        (("orders", "--tag", "a", "--untag", " a "), "tag 'a' cannot be added and removed", "do one of them"),
        (("orders", " "), "The note is empty", "give a text"),
        (("orders", "x" * 4_001), "has 4,001 characters, more than 4,000", "shorten it"),
        (("orders", "--owner", "x" * 201), "has 201 characters, more than 200", "use a shorter name"),
        (("orders", "x", "--author", " "), "The author is empty", "give the name"),
    ],
)
def test_a_mistake_is_explained_and_stores_nothing(
    shop: Cli, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    ran = shop("note", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err and f"hint: {hint}" in ran.err.replace("\n", " ").replace("  ", " ")
    assert document(shop, "notes", "--history")["changes"] == []


@pytest.mark.extensive
def test_texts_cannot_control_the_terminal_or_the_markup(shop: Cli) -> None:
    ran = shop(
        "note", "orders", NASTY, "--tag", "\x1b[2J", "--owner", "\x1b]0;title\x07", "--author", "\x9bx"
    )
    assert ran.code == 0, ran.err
    for command in (
        ("notes",), ("notes", "--history"), ("lineage", "orders"), ("impact", "stg_orders"), ("show",),
    ):  # fmt: skip
        for style in ("table", "json", *(["markdown"] if command[0] != "notes" else [])):
            out = shop(*command, "--format", style).out
            assert not any((ord(char) < 32 and char != "\n") or char in "\x7f\x9b\u202e" for char in out)
            assert style != "markdown" or ("<b>" not in out and "@team" not in out)
    assert document(shop, "notes")["annotations"][0]["note"] == NASTY


def test_passwords_are_not_stored(shop: Cli) -> None:
    out = shop("note", "orders", "see postgresql://ann:S3cret@host/db", "--author", "password=S3cret").out
    assert "S3cret" not in out
    assert "S3cret" not in shop("notes", "--history", "--format", "json").out


@pytest.mark.extensive
def test_reports_of_runs_show_the_annotations_of_their_nodes(shop: Cli) -> None:
    for command in (("show",), ("lineage", "orders"), ("impact", "stg_orders")):
        assert "annotations" not in document(shop, *command)
        assert "Notes" not in shop(*command).out
    shop("note", "customers", "the golden record", "--owner", "Sales", "--tag", "core")
    shop("note", "customers.customer_id", "never reused")
    shop("note", "raw_payments", "not downstream of orders")

    for command, number in (("show",), 3), (("lineage", "orders", "--downstream"), 2), (
        ("impact", "stg_orders"), 2,
    ):  # fmt: skip
        found = document(shop, *command)["annotations"]
        assert len(found) == number, command
        for style in ("table", "markdown"):
            out = shop(*command, "--format", style).out
            assert "Sales" in out and "the golden record" in out and "customers.customer_id" in out
    heading = next(
        line for line in shop("impact", "stg_orders").out.splitlines() if "customers  model" in line
    )
    assert "owners: Sales" in heading
    assert "annotations" not in document(shop, "lineage", "raw_stores", "--upstream")


@pytest.mark.extensive
def test_nodes_that_no_run_has_any_more_keep_their_notes(shop: Cli, project: Path) -> None:
    shop("note", "daily_revenue", "old", "--run", "base")
    shop("note", "daily_revenue.revenue", "in euros", "--run", "base")
    shop("note", "daily_revenue", "grouped", "--from", "orders", "--run", "base")
    folder = shop.folder / "later"
    shutil.copytree(project / "target", folder)
    manifest = json.loads(gzip.decompress((folder / "manifest.json.gz").read_bytes()))
    gone = "model.jaffle_shop.daily_revenue"
    manifest["nodes"] = {
        unique_id: node
        for unique_id, node in manifest["nodes"].items()
        if gone not in (unique_id, *node.get("depends_on", {}).get("nodes", ()))
    }
    manifest["exposures"], manifest["unit_tests"] = {}, {}
    for name in ("parent_map", "child_map"):
        manifest.pop(name, None)
    manifest["metadata"]["invocation_id"] = "later"
    manifest["metadata"]["generated_at"] = "2027-01-01T00:00:00Z"
    (folder / "manifest.json.gz").write_bytes(gzip.compress(json.dumps(manifest).encode()))
    (folder / "run_results.json.gz").unlink()
    ran = shop("record", "-e", "later", "--target-path", "later")
    assert ran.code == 0, ran.err

    assert shop("lineage", "daily_revenue").code == 2
    assert len(present(shop)) == 3
    assert len(present(shop, gone)) == len(present(shop, "daily_revenue")) == 3
    assert shop("note", f"{gone}.revenue", "--delete").code == 0
    assert shop("note", "daily_revenue", "--from", "orders", "--delete").code == 0
    assert present(shop) == [("daily_revenue", None, "", None, "old")]
    assert shop("note", f"{gone}.other", "new").code == 2
    assert "annotations" not in document(shop, "show")


@pytest.mark.extensive
def test_concurrent_commands_lose_no_edit(store: Cli, tmp_path: Path) -> None:
    real = ProcessCli(store.folder, store.environ)

    def edit(number: int) -> int:
        return real("note", "orders", f"text {number}", "--tag", f"t{number}", "--author", f"{number}").code

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(edit, range(3))) == [0] * 3
    ((*_, note, first, second, third),) = present(store)
    assert note in {f"text {number}" for number in range(3)}
    assert (first, second, third) == ("t0", "t1", "t2")
    assert len(document(store, "notes", "--history")["changes"]) == 6


def test_artifacts_on_disk_name_the_nodes(shop: Cli, project: Path) -> None:
    ran = shop("note", "orders", "from disk", "--run", f"path:{project / 'target'}")
    assert ran.code == 0, ran.err
    assert present(shop) == [("orders", None, "", None, "from disk")]
    assert "annotations" not in document(shop, "lineage", "orders", "--run", f"path:{project / 'target'}")


def test_the_python_functions_do_the_same(shop: Cli) -> None:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{shop.folder / 'store.duckdb'}") as adapter:
        edit = NoteEdit(text="in cents", tags="core", owners=["A", "B"])
        found = add_note(adapter, "orders.amount", edit, author="Ann")
        assert found is not None
        assert (found.note, found.tags, found.owners, found.author) == (
            "in cents",
            ("core",),
            ("A", "B"),
            "Ann",
        )
        assert list_notes(adapter) == list_notes(adapter, "orders") == [found]
        assert add_note(adapter, "orders.amount", author="Bob") == found
        add_note(adapter, "orders", "joined", parent="stg_orders", author="Ann")
        (edge,) = list_notes(adapter, "orders", parent="stg_orders")
        assert edge.parent_id == "model.jaffle_shop.stg_orders"
        gone = NoteEdit(delete=True, untag="core", remove_owners=("A", "B"))
        left = add_note(adapter, "orders.amount", gone, author="Bob")
        assert left is None
        assert [one.value for one in note_history(adapter, "orders.amount", run="base")][:2] == [
            None,
            "in cents",
        ]
        assert "in cents" in render_report(note_history(adapter), "text")
        with pytest.raises(SelectorError):
            list_notes(adapter, "nope")
        with pytest.raises(UsageError):
            list_notes(adapter, parent="orders")
