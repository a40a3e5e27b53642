"""The project of tests/data/dbt_package, built by a real dbt in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import yaml

from recce_meta import UnifiedSqlAdapter, extract_project
from recce_meta.models import Project
from recce_meta.store.grants import StoreRole, grants_sql
from recce_meta.store.session import init_store
from tests.emulators.install import is_installed, python_of
from tests.support.needs import missing

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data" / "dbt_package"
KEPT = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "LD_LIBRARY_PATH", "HOME")


def python_with_dbt() -> Path:
    """The interpreter that has dbt: RECCE_META_DBT_PYTHON, else what is installed; skips without."""
    named = os.environ.get("RECCE_META_DBT_PYTHON")
    if named:
        return Path(named)
    if not is_installed("dbt"):
        missing("dbt")
    return python_of("dbt")


@dataclass(frozen=True)
class Shop:
    """The project in *folder*, built into *target* of its profiles.yml."""

    python: Path
    folder: Path
    target: str
    environ: Mapping[str, str]

    def dbt(self, *arguments: str, code: int = 0) -> str:
        """What dbt said; it has to end with *code*."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        ran = subprocess.run(
            [
                *(str(self.python), "-c", "from dbt.cli.main import cli; cli()"),
                *("--no-use-colors", "--no-send-anonymous-usage-stats", "--no-version-check"),
                *(*arguments, "--profiles-dir", ".", "--target", self.target),
            ],
            cwd=self.folder,
            env={**kept, **self.environ},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout

    def edit(self, path: str, before: str, after: str) -> None:
        """Replace *before*, which has to be there, in a file."""
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after), encoding="utf-8")

    def artifacts(self, *, run_id: str) -> Project:
        """What dbt left of the last invocation, as the CLI reads it."""
        return extract_project(
            self.folder / "target", environment="cli", run_id=run_id, project_dir=self.folder, environ={}
        )


def copy_shop(folder: Path, *, has_package: bool = True) -> Path:
    """The project in *folder*, with the package as `dbt deps` leaves it, or where packages.yml says."""
    project = folder / "project"
    shutil.copytree(DATA / "project", project)
    if has_package:
        (project / "packages.yml").unlink()
    package = project / "dbt_packages" / "recce_meta" if has_package else folder / "dbt_package"
    shutil.copytree(ROOT / "dbt_package", package)
    return project


@dataclass(frozen=True)
class Place:
    """A shop, its warehouse, and the schema of its store."""

    shop: Shop
    url: str
    schema: str

    def variables(self, **more: object) -> str:
        """What `--vars` takes: the schema, an environment, and *more*."""
        given = {"recce_meta_schema": self.schema, "recce_meta_environment": "dbt", **more}
        return yaml.safe_dump(given, default_flow_style=True)


@contextmanager
def on_postgres(url: str, folder: Path) -> Iterator[Place]:
    """The shop on the PostgreSQL at *url*, in schemas of its own, while the block lasts."""
    python = python_with_dbt()
    name = uuid4().hex[:12]
    parts = urlsplit(url)
    environ = {
        "SHOP_HOST": parts.hostname or "127.0.0.1",
        "SHOP_PORT": str(parts.port or 5432),
        "SHOP_USER": parts.username or "postgres",
        "SHOP_PASSWORD": parts.password or "",
        "SHOP_DATABASE": parts.path.strip("/"),
        "SHOP_SCHEMA": f"shop_{name}",
    }
    place = Place(Shop(python, copy_shop(folder), "postgres", environ), url, f"Recce {name}")
    yield place
    with UnifiedSqlAdapter.from_url(url) as adapter:
        for schema in (place.schema, environ["SHOP_SCHEMA"]):
            adapter.execute(f"DROP SCHEMA IF EXISTS {adapter.quote_identifier(schema)} CASCADE")


@contextmanager
def as_recorder(place: Place) -> Iterator[Place]:
    """The shop built by a role with the rights of a recorder, as `sql grants` prints them, for the block.

    The schema of the store has a table of its owner that the role may not read.
    """
    role = f"recorder_{place.shop.environ['SHOP_SCHEMA']}"
    with UnifiedSqlAdapter.from_url(place.url).at(place.schema) as owner:
        init_store(owner)
        database = owner.quote_identifier(place.shop.environ["SHOP_DATABASE"])
        for statement in (
            f"CREATE ROLE {role} LOGIN PASSWORD '{role}'",
            f"GRANT CREATE ON DATABASE {database} TO {role}",
            *grants_sql(StoreRole.RECORDER, owner.warehouse, place.schema, to=role).split(";\n"),
            f"CREATE TABLE {owner.quote_identifier(place.schema)}.store_sales (price integer)",
            f"REVOKE ALL ON {owner.quote_identifier(place.schema)}.store_sales FROM {role}",
        ):
            if statement.strip():
                owner.execute(statement)
        environ = {**place.shop.environ, "SHOP_USER": role, "SHOP_PASSWORD": role}
        yield replace(place, shop=replace(place.shop, environ=environ))
        owner.execute(f"DROP OWNED BY {role} CASCADE")
        owner.execute(f"DROP ROLE {role}")


def on_duckdb(folder: Path) -> Place:
    """The shop on a DuckDB file that every DuckDB 1.x can open."""
    python = python_with_dbt()
    file = folder / "shop.duckdb"
    with UnifiedSqlAdapter.from_url(f"duckdb:///{file}") as adapter:
        adapter.execute("SELECT 1")
    shop = Shop(python, copy_shop(folder), "duckdb", {"SHOP_DATABASE": str(file)})
    return Place(shop, f"duckdb:///{file}", "recce_metadata")
