"""The command, with no settings but those a test gives: in the process of the tests, or in a new one."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid4, uuid5

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.cli.main import run_command_line
from tests.support.once import built_once

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "recce_meta" / "demo_data"
KEPT = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "LD_LIBRARY_PATH")


class Input(io.BytesIO):
    """Bytes on standard input."""

    name = "<stdin>"


class Ran(NamedTuple):
    """How a command ended, and what it said where."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cli:
    """`recce-meta` in *folder*, with an environment that has no settings but those given."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def argv(self) -> list[str]:
        return [sys.executable, "-W", "error", "-m", "recce_meta"]

    @property
    def variables(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        home = self.folder / "home"
        return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), **self.environ}

    def within(self, folder: Path | str = ".", **environ: str) -> Cli:
        """The same, from another folder or with more settings."""
        return type(self)(self.folder / folder, {"HOME": self.variables["HOME"], **self.environ, **environ})

    def __call__(self, *arguments: str | Path, input: str | None = None) -> Ran:
        """Run the command in the process of the tests, whose environment and folder are its own meanwhile."""
        assert current_thread() is main_thread(), "concurrent commands need processes: process_cli"
        stdin = io.TextIOWrapper(Input((input or "").encode()), "utf-8")
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "stdin", stdin)
            patch.setattr(os, "environ", self.variables)
            patch.chdir(self.folder)
            code = run_command_line([str(argument) for argument in arguments])
        for stream in (out, err):
            stream.flush()
        texts = [stream.buffer.getvalue().decode("utf-8") for stream in (out, err)]
        return Ran(code, *texts)


class ProcessCli(Cli):
    """The command in a process of its own: for signals, locks, start-up, streams and child processes."""

    def __call__(self, *arguments: str | Path, input: str | None = None) -> Ran:
        """Run the command in a new process."""
        ran = subprocess.run(
            [*self.argv, *map(str, arguments)],
            cwd=self.folder,
            env=self.variables,
            input=(input or "").encode(),
            capture_output=True,
            check=False,
            timeout=120,
        )
        return Ran(ran.returncode, ran.stdout.decode("utf-8"), ran.stderr.decode("utf-8", "replace"))


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Return the command in an empty folder, run by this process."""
    return Cli(tmp_path)


@pytest.fixture
def process_cli(tmp_path: Path) -> ProcessCli:
    """Return the command in an empty folder, run by new processes."""
    return ProcessCli(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A dbt project as a pull request leaves it: `target/` built, production's artifacts beside it."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "dbt_project.yml").write_text("name: jaffle_shop\nprofile: shop\nversion: '1.0'\n")
    shutil.copytree(DEMO / "base", folder / "target-base")
    shutil.copytree(DEMO / "current", folder / "target")
    return folder


@pytest.fixture(scope="session")
def _recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with production and the pull request in it; tests take a copy."""
    return built_once(tmp_path_factory, "recorded", _record_sides) / "store.duckdb"


def _record_sides(folder: Path) -> None:
    for side in ("base", "current"):
        shutil.copytree(DEMO / side, folder / side)
        url = "duckdb:///store.duckdb"
        ran = Cli(folder)("record", "-e", side, "--target-path", side, "--url", url)
        assert ran.code == 0, ran.err


@pytest.fixture
def store(cli: Cli, _recorded: Path) -> Cli:
    """The command in a folder whose store.duckdb holds both runs, and is what it connects to."""
    shutil.copy(_recorded, cli.folder / "store.duckdb")
    return cli.within(RECCE_META_URL="duckdb:///store.duckdb")


def node(name: str, schema: str, database: str, **fields: Any) -> dict[str, Any]:
    """A model as a manifest has it; *fields* replace what is said here, and `config` and `sql` add to it."""
    sql, config = fields.pop("sql", "select 1"), fields.pop("config", {})
    alias = fields.get("alias", name)
    return {
        "resource_type": "model",
        "unique_id": f"model.shop.{name}",
        "name": name,
        "alias": alias,
        "database": database,
        "schema": schema,
        "relation_name": ".".join('"' + part.replace('"', '""') + '"' for part in (database, schema, alias)),
        "package_name": "shop",
        "path": f"{name}.sql",
        "original_file_path": f"models/{name}.sql",
        "fqn": ["shop", name],
        "checksum": {"name": "sha256", "checksum": sha256(sql.encode()).hexdigest()},
        "config": {"enabled": True, "materialized": "table", **config},
        "columns": {},
        "raw_code": sql,
        "compiled_code": sql,
        "language": "sql",
        "depends_on": {"nodes": [], "macros": []},
        **fields,
    }


@dataclass(frozen=True)
class Shop:
    """Models of one warehouse, built twice: base's relations and artifacts, and current's."""

    cli: Cli
    warehouse: str
    url: str
    database: str
    base: str
    """The schema of base's relations; its name needs quoting."""
    current: str

    def sql(self, *statements: str) -> None:
        """Run *statements*, in which `{base}` and `{current}` are the two schemas, quoted."""
        with UnifiedSqlAdapter.from_url(self.url) as adapter:
            for statement in statements:
                for side in ("base", "current"):
                    statement = statement.replace(f"{{{side}}}", f'"{getattr(self, side)}"')
                adapter.execute(statement)

    def build(self, name: str, base: str | None, current: str | None) -> None:
        """Fill the table *name* on either side with what a query gives; None leaves the side without."""
        sides = (("{base}", base), ("{current}", current))
        self.sql(
            *(f'CREATE TABLE {place}."{name}" AS {query}' for place, query in sides if query is not None)
        )

    def write(self, *names: str, key: str | None = None, **changed: Mapping[str, Any]) -> None:
        """Write artifacts of the models *names*; *changed* has what differs in current."""
        config = {"unique_key": key} if key else {}
        for side, schema in (("base", self.base), ("current", self.current)):
            edits = changed if side == "current" else {}
            nodes = [
                node(name, schema, self.database, **{"config": config, **edits.get(name, {})})
                for name in names
            ]
            self.write_nodes(side, nodes)

    def write_nodes(self, side: str, nodes: Sequence[Mapping[str, Any]]) -> None:
        """Write the artifacts of one side."""
        folder = self.cli.folder / side
        folder.mkdir(exist_ok=True)
        parents = {entry["unique_id"]: entry["depends_on"]["nodes"] for entry in nodes}
        manifest = {
            "metadata": {
                "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
                "dbt_version": "1.10.0",
                "project_name": "shop",
                "adapter_type": self.warehouse,
                "generated_at": f"2026-11-0{1 if side == 'base' else 2}T00:00:00.000000Z",
                "invocation_id": str(uuid5(NAMESPACE_URL, f"{self.base}/{side}")),
            },
            "nodes": {entry["unique_id"]: entry for entry in nodes},
            "parent_map": parents,
            "child_map": {
                unique_id: [child for child, above in parents.items() if unique_id in above]
                for unique_id in parents
            },
            **{name: {} for name in ("sources", "macros", "exposures", "metrics", "disabled")},
        }
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    def record(self) -> None:
        """Record both sides into a store beside the relations."""
        for side in ("base", "current"):
            ran = self.cli("record", "-e", side, "--target-path", side)
            assert ran.code == 0, ran.err

    def __call__(self, command: str, *arguments: str) -> Ran:
        """Run *command* with both runs read from disk."""
        return self.cli(command, "--base", "path:base", "--current", "path:current", *arguments)


@contextmanager
def shop_on(warehouse: str, cli: Cli, url: str, token: str | None = None) -> Iterator[Shop]:
    """Two empty schemas on a warehouse, dropped afterwards with the store; those of *token* exist."""
    name = token or uuid4().hex[:8]
    store = f"meta {name}"
    place = UnifiedSqlAdapter.from_url(url)
    with nullcontext() if token else place:
        shop = Shop(
            cli.within(RECCE_META_URL=url, RECCE_META_SCHEMA=store),
            warehouse,
            url,
            place.database or "",
            f"Prod's {name}",
            f"PR 42 {name}",
        )
        if token is None:
            shop.sql("CREATE SCHEMA {base}", "CREATE SCHEMA {current}")
    yield shop
    if warehouse != "duckdb":  # the file goes with the folder
        shop.sql(*(f'DROP SCHEMA IF EXISTS "{name}" CASCADE' for name in (shop.base, shop.current, store)))


def _create_shop(folder: Path, *, with_store: bool) -> None:
    url = f"duckdb:///{folder / 'shop.duckdb'}"
    with shop_on("duckdb", Cli(folder), url, "file") as shop:
        shop.sql("CREATE SCHEMA {base}", "CREATE SCHEMA {current}")
        if with_store:
            assert shop.cli("init").code == 0


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.extensive)])
def shop(
    request: pytest.FixtureRequest, cli: Cli, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """Each warehouse in turn."""
    if request.param == "duckdb":
        with_store = request.node.get_closest_marker("with_store") is not None
        build = partial(_create_shop, with_store=with_store)
        made = built_once(tmp_path_factory, f"shop of DuckDB, store {with_store}", build)
        file = shutil.copy(made / "shop.duckdb", cli.folder)
        url, token = f"duckdb:///{file}", "file"
    else:
        url, token = request.getfixturevalue("postgres_url"), None
    with shop_on(request.param, cli, url, token) as shop:
        yield shop


@pytest.fixture(scope="module")
def server(postgres_url: str) -> Iterator[Any]:
    """A connection of a superuser."""
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def schema(server: Any) -> Iterator[str]:
    """Yield the name of a schema, which needs quotes, and drop the schema afterwards."""
    from psycopg import sql

    name = f'Meta "{uuid4().hex[:12]}" 100%'
    yield name
    server.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))
