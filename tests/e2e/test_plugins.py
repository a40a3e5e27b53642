"""A package that brings a warehouse and an exporter: installed as its users do, and used by the command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import yaml

from recce_meta import demo_data

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "examples" / "plugin"
PAGE = ROOT / "docs" / "guides" / "extending.md"

Command = Callable[..., str]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the example is installed into, by pip and without a network."""
    folder = tmp_path_factory.mktemp("site")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(PACKAGE)], check=True)
    return folder


@pytest.fixture
def schema(postgres_url: str) -> Iterator[str]:
    """A schema with a table and a view, and the name of another for the store; both dropped afterwards."""
    name = f"lake_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        connection.execute(f"CREATE TABLE {name}.orders (id int PRIMARY KEY, amount int)")
        connection.execute(f"CREATE VIEW {name}.totals AS SELECT sum(amount) AS total FROM {name}.orders")
        yield name
        connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        connection.execute(f"DROP SCHEMA IF EXISTS {name}_store CASCADE")


@pytest.fixture
def command(installed: Path, schema: str, postgres_url: str, tmp_path: Path) -> Command:
    """`recce-meta` with the package beside it, and a profile of its type."""
    place = urlsplit(postgres_url)
    output = {
        "type": "greenplum",
        "host": place.hostname,
        "port": place.port or 5432,
        "user": place.username,
        "password": place.password or "",
        "dbname": place.path.strip("/"),
        "schema": schema,
    }
    profiles = {"lake": {"target": "dev", "outputs": {"dev": output}}}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RECCE_META_")}
    path = os.pathsep.join([str(installed), str(ROOT)])

    def run(*arguments: str, code: int = 0) -> str:
        ran = subprocess.run(
            [sys.executable, "-m", "recce_meta", *arguments],
            cwd=tmp_path,
            env={
                **inherited,
                "PYTHONPATH": path,
                "DBT_PROFILE": "lake",
                "RECCE_META_SCHEMA": f"{schema}_store",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    return run


@pytest.mark.extensive
def test_a_package_s_warehouse_is_scanned_compared_and_exported(
    command: Command, schema: str, postgres_url: str, tmp_path: Path
) -> None:
    told = command("doctor")
    assert re.search(r"ok +server +greenplum \d", told)
    assert "No problems found" in told

    command("scan", "--schema", schema, "--project", "lake")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"ALTER TABLE {schema}.orders ADD COLUMN paid boolean")
    scanned = json.loads(command("scan", "--schema", schema, "--project", "lake", "--format", "json"))
    assert [one["unique_id"] for one in scanned["diff"]["changes"]] == [f"relation.{schema}.orders"]

    artifacts = Path(demo_data.__file__).parent / "base"
    assert "jaffle_shop" in command("record", "--target-path", str(artifacts), "--no-columns")
    changed = json.loads(command("diff", "current~1", "current", "--project", "lake", "--format", "json"))
    assert changed["changes"] == scanned["diff"]["changes"]
    command("export", "latest", "--project", "lake", "--format", "mermaid", "-o", "lineage.mmd")
    assert sorted((tmp_path / "lineage.mmd").read_text(encoding="utf-8").splitlines()) == sorted(
        ["flowchart LR", '  n0["orders"]', '  n1["totals"]', f'  n2["{schema}"]', "  n0 --> n1"]
    )


@pytest.mark.extensive
def test_what_is_not_known_is_looked_for_among_packages(command: Command, tmp_path: Path) -> None:
    profiles = tmp_path / "profiles.yml"
    profiles.write_text(
        profiles.read_text(encoding="utf-8").replace("greenplum", "greenplom"), encoding="utf-8"
    )

    told = command("runs", code=3)

    assert "Unknown warehouse type 'greenplom'" in told
    assert "did you mean 'greenplum'?" in told
    assert "'mermiad'" in command(
        "export", "latest", "--url", "duckdb:///x.duckdb", "--format", "mermiad", code=2
    )


@pytest.mark.parametrize(
    "path",
    sorted(path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".toml")),
    ids=lambda p: p.name,
)
def test_the_page_shows_the_files_of_the_package(path: Path) -> None:
    if path.name == "__init__.py":
        return
    blocks = re.findall(r"^`(\S+)`:\n\n```\w+\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)

    assert dict(blocks)[path.relative_to(PACKAGE).as_posix()] == path.read_text(encoding="utf-8")


QUACK = """
from recce_meta.warehouses.duckdb.connection import DuckDB

class Quack(DuckDB):
    name = "quack"
    url_schemes = ("quack",)
    driver = catalog = store_dialect = "duckdb"
    own_configs = frozenset(["feathers"])
    quotes_relations = False
"""
COMMAND = "from recce_meta.cli.main import main; main()"
CONNECTION = """
from pathlib import Path
import yaml
from recce_meta.render.relation import is_quoted, warn_of_defaults
from recce_meta.repositories.extraction.dbt.profile import guess_adapter
from recce_meta.repositories.extraction.dbt.profile import write_profile
from recce_meta.repositories.state.requests import NewConnection, check_request
from recce_meta.repositories.options.values import ProfileTarget

here = Path("project")
check_request(NewConnection(repo_url="https://github.com/a/shop", adapter="quack"))
guess = guess_adapter(here, here, {"models": {"+feathers": "many"}}, [])
target = ProfileTarget(target="dev", database="shop", schema="prod")
profile = write_profile(here / "written", "shop", "quack", target)
output = yaml.safe_load((profile.folder / "profiles.yml").read_text())["shop"]["outputs"]["dev"]
warnings = []
warn_of_defaults("quack", "identifier quotes", warnings.append)
print(guess.adapter, guess.source, output["type"], output["path"], output["schema"])
print(is_quoted("quack"), warnings)
"""
BESIDE = """
import sys
import recce_meta.warehouses
recce_meta.warehouses.__path__.append(sys.argv.pop(1))
"""


@pytest.mark.extensive
def test_a_folder_beside_the_built_in_warehouses_is_all_that_a_new_one_needs(tmp_path: Path) -> None:
    folder = tmp_path / "warehouses" / "quack"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "connection.py").write_text(QUACK)
    output = {"type": "quack", "path": "shop.duckdb", "schema": "prod"}
    profiles = {"shop": {"target": "dev", "outputs": {"dev": output}}}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")

    def ran(script: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", BESIDE + script, str(folder.parent), *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "DBT_PROFILE": "shop"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    for side in ("base", "current"):
        folder_of_side = Path(demo_data.__file__).parent / side
        ran(COMMAND, "record", "-e", side, "--target-path", str(folder_of_side))
    assert json.loads(ran(COMMAND, "diff", "base", "current", "--format", "json"))["changes"]
    found = ran(CONNECTION)
    assert found.split() == ["quack", "configurations", "quack", "shop.duckdb", "prod", "False", "[]"]

    added = (
        "https://github.com/acme/shop",
        "--name",
        "shop",
        "--adapter",
        "quack",
        "--branch",
        "main",
        "--no-test",
    )
    ran(COMMAND, "connection", "add", *added)
    assert (
        json.loads(ran(COMMAND, "connection", "list", "--format", "json"))["connections"][0]["adapter"]
        == "quack"
    )
