"""Rebuild the data of `recce-meta demo` with a real dbt.

    python -m venv /tmp/demo && /tmp/demo/bin/pip install 'dbt-core>=1.11,<1.12' dbt-duckdb
    /tmp/demo/bin/python scripts/build_demo.py
Works in a temporary directory: the project of recce_meta/demo_data/project/base is committed to a new
git repository and built into the schema `prod`. The pull request is committed on a branch and built into
`pr_42` of the same DuckDB file. The files listed in recce_meta/demo_data/__init__.py are then written.

`make_seeds` generates seeds from a fixed random seed; run with --seeds to rewrite those too.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

DATA = Path(__file__).resolve().parents[1] / "recce_meta" / "demo_data"
PROJECT = DATA / "project"
DATABASE = "jaffle_shop"
REMOVED = ("models/marts/payment_mix.sql",)
SIDES = {"base": "prod", "current": "pr_42"}
SEPARATOR = ";\n\n"
ARTIFACTS = ("manifest", "catalog", "run_results")

AUTHOR = {"NAME": "Jaffle Shop", "EMAIL": "shop@example.com", "DATE": "2026-11-01T09:00:00Z"}
FIRST_NAMES = "Ada Ben Cleo Dan Eva Finn Gus Hana Ida Jon Kim Leo Mia Ned Olga Pia Quin Rosa Sam Tess"
LAST_NAMES = "Adler Bloom Carver Diaz Engel Fox Grant Haas Ito Jung Klein Lund Moss Novak Ortiz Park"
STORES = (
    ("Harbour", "Hamburg", "2023-03-01"),
    ("Old Mill", "Lyon", "2023-09-15"),
    ("Station", "Utrecht", "2024-05-02"),
    ("Market Hall", "Porto", "2025-02-10"),
)
STATUSES = ("placed", "shipped", "completed", "return_pending", "returned")
METHODS = ("credit_card", "coupon", "bank_transfer", "gift_card")


def main() -> None:
    """Write all files of the demo's data."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", action="store_true", help="regenerate the seeds")
    if parser.parse_args().seeds:
        make_seeds(PROJECT / "base" / "seeds")
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory).resolve() / "work"
        shutil.copytree(PROJECT / "base", work)
        build(work)


def build(work: Path) -> None:
    """Build both sides of the project in *work*, and store the demo's data."""
    git(work, "init", "--quiet", "--initial-branch=main")
    origin = {"base": {"branch": "main", "sha": commit(work, "The shop as it is"), "pull_request": None}}
    keep_artifacts(work, "base", run_dbt(work, "base"))
    git(work, "checkout", "--quiet", "-b", "count-payments-once")
    shutil.copytree(PROJECT / "pull_request" / "models", work / "models", dirs_exist_ok=True)
    for path in REMOVED:
        (work / path).unlink()
    sha = commit(work, "Count an order's payments once")
    origin["current"] = {"branch": "count-payments-once", "sha": sha, "pull_request": "42"}
    keep_artifacts(work, "current", run_dbt(work, "current"))
    (DATA / "origin.json").write_text(json.dumps(origin, indent=2) + "\n")
    keep_tables(work / f"{DATABASE}.duckdb")


# The project's history


def git(work: Path, *arguments: str) -> str:
    """Return the output of git, with a fixed author and time, so that hashes are reproducible."""
    who = {f"GIT_{role}_{what}": text for role in ("AUTHOR", "COMMITTER") for what, text in AUTHOR.items()}
    command = ["git", "-c", "core.autocrlf=false", "-c", "commit.gpgsign=false", *arguments]
    done = subprocess.run(command, cwd=work, env={**os.environ, **who}, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode().strip()


def commit(work: Path, message: str) -> str:
    """Commit everything except dbt's output, and return the hash."""
    (work / ".gitignore").write_text("target/\nlogs/\n*.duckdb\n.user.yml\n")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", message)
    return git(work, "rev-parse", "HEAD")


# dbt


def run_dbt(work: Path, side: str) -> Path:
    """Return the directory with the manifest and run results of `dbt build`, and the catalog of `dbt docs
    generate`.

    `docs generate` overwrites the other two, so each command has its own target directory.
    """
    dbt = Path(sys.executable).with_name("dbt")
    built, documented = work / "target" / side, work / "target" / f"{side}_docs"
    for arguments in (("build", "--target-path", built), ("docs", "generate", "--target-path", documented)):
        command = [dbt, "--no-send-anonymous-usage-stats", *arguments, "--target", SIDES[side]]
        environ = {**os.environ, "DBT_PROFILES_DIR": ".", "JAFFLE_SHOP_DATABASE": f"{DATABASE}.duckdb"}
        subprocess.run(command, cwd=work, env=environ, check=True)
    shutil.copy(documented / "catalog.json", built / "catalog.json")
    return built


def keep_artifacts(work: Path, side: str, built: Path) -> None:
    """Write the artifacts compressed, without any path or name of this machine, and without macros that no
    node uses.
    """
    (DATA / side).mkdir(exist_ok=True)
    for name in ARTIFACTS:
        content = scrubbed(json.loads((built / f"{name}.json").read_bytes()), str(work))
        if name == "manifest":
            content["macros"] = used_macros(content)
        text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
        if str(work) in text or str(Path.home()) in text:
            raise SystemExit(f"{name}.json still names this machine")
        (DATA / side / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def scrubbed(value: Any, work: str) -> Any:
    """Replace this machine's directory in *value* by `.`, and remove dbt's ids of the user and
    environment.
    """
    if isinstance(value, dict):
        blank = {"user_id": None, "env": {}}
        return {key: blank[key] if key in blank else scrubbed(item, work) for key, item in value.items()}
    if isinstance(value, list):
        return [scrubbed(item, work) for item in value]
    return value.replace(work, ".") if isinstance(value, str) else value


def used_macros(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the macros that nodes of *manifest* call, also indirectly; most of its bytes are others."""
    macros = manifest["macros"]
    waiting = [key for node in manifest["nodes"].values() for key in node["depends_on"].get("macros", ())]
    used: set[str] = set()
    while waiting:
        if (key := waiting.pop()) in macros and key not in used:
            used.add(key)
            waiting += macros[key]["depends_on"]["macros"]
    return {key: macro for key, macro in macros.items() if key in used}


# The warehouse


def keep_tables(database: Path) -> None:
    """Write every table as Parquet, and the statements that restore tables and views."""
    shutil.rmtree(DATA / "tables", ignore_errors=True)
    (DATA / "tables").mkdir()
    statements, kept = [], {}
    with duckdb.connect(str(database), read_only=True) as connection:
        for schema in SIDES.values():
            statements.append(f"create schema if not exists {schema}")
            for name in tables(connection, schema):
                file = kept_once(keep_table(connection, schema, name), kept)
                source = f"read_parquet('$tables/{file}')"
                statements.append(f"create or replace table {schema}.{name} as select * from {source}")
    for side, schema in SIDES.items():
        statements.extend(views(side, schema))
    header = "-- The demo's schemas, written by scripts/build_demo.py; $tables is their directory.\n"
    (DATA / "tables.sql").write_text(header + SEPARATOR.join(statements) + ";\n")


def keep_table(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> Path:
    target = DATA / "tables" / f"{schema}.{name}.parquet"
    connection.execute(
        f"copy (select * from {schema}.{name} order by all) to '{target}' (format parquet, compression zstd)"
    )
    return target


def kept_once(path: Path, kept: dict[bytes, str]) -> str:
    """Return the name of the file with the content of *path*; seeds are equal on both sides."""
    name = kept.setdefault(path.read_bytes(), path.name)
    if name != path.name:
        path.unlink()
    return name


def tables(connection: duckdb.DuckDBPyConnection, schema: str) -> Iterable[str]:
    query = "select table_name from duckdb_tables() where schema_name = ? order by 1"
    return [name for (name,) in connection.execute(query, [schema]).fetchall()]


def views(side: str, schema: str) -> Iterable[str]:
    """Yield the statements that create the views of one side, parents first, without a database name."""
    manifest = json.loads(gzip.decompress((DATA / side / "manifest.json.gz").read_bytes()))
    done: set[str] = set()
    waiting = {
        node["unique_id"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "view"
    }
    while waiting:
        for unique_id, node in sorted(waiting.items()):
            if not any(parent in waiting for parent in node["depends_on"]["nodes"]):
                code = node["compiled_code"].replace(f'"{DATABASE}".', "").strip()
                yield f"create or replace view {schema}.{node['name']} as\n{code}"
                done.add(unique_id)
        waiting = {unique_id: node for unique_id, node in waiting.items() if unique_id not in done}


# The seeds


def make_seeds(directory: Path) -> None:
    """Write the four seeds, always with the same content."""
    chance = random.Random(42)
    stores = [(number, *store) for number, store in enumerate(STORES, 1)]
    customers = [make_customer(number, chance) for number in range(1, 151)]
    orders = sorted((make_order(chance) for _ in range(900)), key=lambda order: order[2])
    write(directory / "raw_stores.csv", ("id", "name", "city", "opened_on"), stores)
    write(
        directory / "raw_customers.csv", ("id", "first_name", "last_name", "email", "signed_up_on"), customers
    )
    numbered = [(number, *order) for number, order in enumerate(orders, 1)]
    write(directory / "raw_orders.csv", ("id", "customer_id", "store_id", "ordered_at", "status"), numbered)
    attempts = [attempt for order in numbered for attempt in make_payments(order[0], order[3], chance)]
    payments = [(number, *attempt) for number, attempt in enumerate(attempts, 1)]
    columns = ("id", "order_id", "method", "status", "amount_cents", "paid_at")
    write(directory / "raw_payments.csv", columns, payments)


def make_customer(number: int, chance: random.Random) -> tuple[object, ...]:
    first, last = chance.choice(FIRST_NAMES.split()), chance.choice(LAST_NAMES.split())
    email = f"{first}.{last}{number}@example.com"
    return number, first, last, email, date(2025, 1, 1) + timedelta(days=chance.randint(0, 364))


def make_order(chance: random.Random) -> tuple[int, int, datetime, str]:
    """Return customer, shop, moment and status; the last ten customers never order."""
    status = chance.choices(STATUSES, (4, 6, 82, 3, 5))[0]
    return chance.randint(1, 140), chance.randint(1, len(STORES)), moment(chance), status


def make_payments(order: int, ordered_at: datetime, chance: random.Random) -> Iterable[tuple[object, ...]]:
    """Yield payment attempts of one order: one in eleven cards is first declined, some orders are split."""
    cents = chance.randrange(450, 6400, 25)
    gift = cents // 4 if chance.random() < 0.06 else 0
    method = chance.choices(METHODS, (62, 9, 24, 5))[0]
    if method == "credit_card" and chance.random() < 0.11:
        yield order, method, "failed", cents - gift, ordered_at
        ordered_at += timedelta(minutes=2)
    yield order, method, "success", cents - gift, ordered_at
    if gift:
        yield order, "gift_card", "success", gift, ordered_at


def moment(chance: random.Random) -> datetime:
    day = datetime(2026, 1, 2) + timedelta(days=chance.randint(0, 300))
    return day.replace(hour=chance.randint(7, 20), minute=chance.randint(0, 59))


def write(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows((columns, *rows))


if __name__ == "__main__":
    main()
