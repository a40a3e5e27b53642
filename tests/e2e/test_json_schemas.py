"""Every document of `--format json` keeps to its published schema, and the schemas keep to the types."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

from recce_meta.cli.main import cli as command_line
from scripts.build_schemas import FOLDER, built
from tests.e2e.conftest import DEMO, Cli

pytestmark = pytest.mark.extensive

SCHEMAS = {
    schema["$id"]: schema
    for schema in (json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json"))
}
RECCE_STATE = Path(__file__).parents[1] / "data" / "recce"
CHECKS = """
checks:
- {name: lineage, type: lineage_diff}
- {name: schema, type: schema_diff, params: {select: orders}}
- {name: rows, type: row_count_diff, params: {select: orders}, expect: {row_count_change: 0}}
- {name: broken, type: no_such_type}
"""
COMMANDS: dict[str, list[tuple[str, ...]]] = {
    "init": [],
    "record": [
        ("record", str(DEMO / "base"), "-e", "other"),
        ("record", str(DEMO / "current"), "-e", "other"),
    ],
    "scan": [("scan", "-e", "live"), ("scan", "-e", "live", "--schema", "prod")],
    "runs": [("runs",)],
    "show": [("show", "base"), ("show", f"path:{DEMO / 'current'}")],
    "diff": [
        ("diff", "base", "current"),
        ("diff", "base", "current", "--data"),
        ("diff", "base", "current", "--data", "--checks", "checks.yml"),
        ("diff", "base", "current", "--select", "stg_payments"),
    ],
    "preview": [
        ("preview", "--base", "base", "--project-dir", "shop"),
        ("preview", "--base", "base", "--project-dir", "shop", "--compare", "schema"),
    ],
    "row-count": [("row-count",), ("row-count", "orders", "--live")],
    "schema": [("schema", "orders"), ("schema", "orders", "--stored")],
    "value": [
        ("value", "orders"),
        ("value", "orders", "--detail"),
        ("value", "orders", "--where", "status = 'nope'"),
    ],
    "profile": [("profile", "orders"), ("profile", "orders", "customers", "--live")],
    "top-k": [("top-k", "orders", "-c", "status")],
    "histogram": [("histogram", "orders", "-c", "ordered_on")],
    "query-diff": [("query-diff", "select * from {{ ref('orders') }}")],
    "check run": [("check", "run", "checks.yml")],
    "quality": [("quality", "orders", "customers"), ("quality", "orders", "--fail-on", "null_share >= 0")],
    "quality history": [("quality", "--history"), ("quality", "orders", "--history")],
    "lineage": [("lineage", "orders"), ("lineage", "raw_orders", "--downstream")],
    "impact": [("impact", "stg_orders"), ("impact", "stg_orders.status", "--direction", "both")],
    "note": [("note", "orders", "checked", "--tag", "core", "--author", "Ann"), ("note", "customers")],
    "notes": [("notes",), ("notes", "orders", "--history")],
    "push": [("push", "bundle.zip"), ("push", "bundle.zip", "--select", "base", "--dry-run")],
    "pull": [("pull", "bundle.zip")],
    "sync": [("sync", "bundle.zip"), ("sync", "--status")],
    "query": [("query", "select * from nodes"), ("query", "--cookbook", "storage_used", "-n", "2")],
    "export": [("export", "base")],
    "import": [("import", "base.json")],
    "prune": [("prune", "--keep-last", "5", "--dry-run"), ("prune", "--keep-last", "1", "-e", "other")],
    "doctor": [("doctor",)],
    "fsck": [("fsck",), ("fsck", "--repair")],
    "config": [("config",), ("config", "--node", "orders")],
    "check-base": [("check-base",)],
    "connection list": [("connection", "list")],
    "connection show": [("connection", "show", "shop"), ("connection", "show", "shop", "--job", "last")],
    "connection test": [("connection", "test", "shop")],
    "connection notify": [("connection", "notify", "shop", "--test")],
    "connection extract": [("connection", "extract", "shop")],
    "connection webhook": [("connection", "webhook", "shop")],
    "token list": [("token", "list")],
    "demo": [("demo", "--dir", "another")],
}
"""Command lines by command, without `--format json`; `export` prints JSON without an option."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The command on the store of the demo, which holds two runs and the data of both."""
    folder = tmp_path_factory.mktemp("demo")
    assert Cli(folder)("demo").code == 0
    cli = Cli(folder).within(RECCE_META_URL="duckdb:///recce-meta-demo/jaffle_shop.duckdb")
    (folder / "checks.yml").write_text(CHECKS)
    shutil.copytree(DEMO / "project" / "base", folder / "shop")
    edited = folder / "shop" / "models" / "marts" / "orders.sql"
    edited.write_text(edited.read_text().replace("attempted_amount as", "paid_amount as"))
    assert cli("export", "base", "-o", "base.json").code == 0
    assert cli("push", "bundle.zip").code == 0
    assert cli("quality", "orders").code == 0
    cli = cli.within(
        RECCE_META_STATE_URL=f"sqlite:///{folder / 'state.db'}",
        RECCE_META_PUBLIC_URL="https://recce.example.com",
    )
    # The address is refused before anything is sent.
    given = ("--branch", "main", "--no-test", "--type", "gitlab", "--notify", "mailto:data@acme.com")
    added = cli("connection", "add", "https://127.0.0.1/acme/shop", *given)
    assert added.code == 0, added.err
    assert cli("token", "add", "ci", "--scope", "read", "--expires", "30").code == 0
    yield cli


@pytest.mark.extensive
def test_the_files_are_those_that_the_types_make() -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    files.pop("export.v1.json")
    files.pop("export.v2.json")

    assert files == built(), "run python scripts/build_schemas.py"


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda schema: schema["$id"])
def test_a_schema_is_valid_and_describes_itself(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"]["schema"] == {"const": schema["$id"]}
    assert schema["title"]
    assert schema["description"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_document_keeps_to_its_schema(demo: Any, name: str) -> None:
    for line in COMMANDS[name]:
        arguments = line if line == ("export", "base") else (*line, "--format", "json")
        ran = demo(*arguments)
        assert ran.out.startswith("{"), (line, ran.err)
        document = json.loads(ran.out)
        schema = closed(SCHEMAS[document["schema"]])
        jsonschema.Draft202012Validator(schema).validate(document)


def test_every_command_that_prints_json_is_tried() -> None:
    def names(group: click.Group, *path: str) -> Iterator[str]:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from names(command, *path, name)
            elif command is not None and any("json" in formats(param) for param in command.params):
                yield " ".join([*path, name])

    def formats(param: click.Parameter) -> tuple[str, ...]:
        is_format = "--format" in param.opts and isinstance(param.type, click.Choice)
        return tuple(param.type.choices) if is_format else ()  # type: ignore[attr-defined]

    assert set(names(command_line)) <= {name for name, lines in COMMANDS.items() if lines}


def closed(schema: Any) -> Any:
    """Return *schema* without room for fields that it does not describe."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found
