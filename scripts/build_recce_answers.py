"""Record recce's own answers about two small dbt projects as test data in tests/data/recce.

    python -m venv /tmp/recce
    /tmp/recce/bin/pip install 'recce[mcp]==1.69.1' 'dbt-core>=1.11,<1.12' dbt-duckdb
    /tmp/recce/bin/python scripts/build_recce_answers.py [PROJECT …]
needs a separate environment: recce_meta is not imported. Each `answers.json` includes the versions that were
used. dbt-core 1.12 is excluded because it installs a parser from GitHub.

For each project, in a temporary directory: build base into the schema `prod` and the pull request into `dev`
of one DuckDB file; store the artifacts; write the tables as `data.sql`; run every question through recce's
task classes; build a second database from `data.sql` only and run every question again in reverse order,
marking different answers as `unstable`; and run the checks of `recce.yml` as `recce run` does. recce sends
nothing: its home is the temporary directory, with tracking switched off.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import gzip
import importlib.metadata
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import duckdb
import yaml

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "data" / "recce"
SCHEMAS = {"target-base": "prod", "target": "dev"}
ARTIFACTS = ("manifest", "catalog")
PACKAGES = ("recce", "dbt-core", "dbt-adapters", "dbt-duckdb", "duckdb", "pydantic", "agate", "sqlglot")
BUILT_AT = "2026-11-20T12:00:00.000000Z"
INSERTED_AT_ONCE = 500

Answer = dict[str, Any]
Question = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Project:
    """Sources of a project's two sides, and the files that the pull request removes."""

    name: str
    sources: Path
    removed: tuple[str, ...]
    not_built: str | None = None

    @property
    def data(self) -> Path:
        return DATA / self.name

    @property
    def database(self) -> str:
        return f"{self.name}.duckdb"

    @property
    def questions(self) -> dict[str, Any]:
        content: dict[str, Any] = yaml.safe_load((self.data / "questions.yml").read_text(encoding="utf-8"))
        return content


PROJECTS = {
    "jaffle_shop": Project(
        "jaffle_shop", ROOT / "recce_meta" / "demo_data" / "project", ("models/marts/payment_mix.sql",)
    ),
    "typed_shop": Project(
        "typed_shop", DATA / "typed_shop" / "project", ("models/only_before.sql",), "never_built"
    ),
}


def main() -> None:
    """Record the projects named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("projects", nargs="*", metavar="PROJECT", help=", ".join(PROJECTS))
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--checks", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--reverse", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in options.projects or PROJECTS:
        if options.answer:
            options.answer.write_text(json.dumps(answers(PROJECTS[name], reverse=options.reverse)))
        elif options.checks:
            run_checks(options.checks)
        else:
            record(PROJECTS[name])


def record(project: Project) -> None:
    """Write all files of one project."""
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory).resolve() / "work"
        build(project, work)
        for side in SCHEMAS:
            keep_artifacts(project, work, side)
        write_data(project, work / project.database)
        (work / "recce.yml").write_text((project.data / "recce.yml").read_text(encoding="utf-8"))
        found = asked(project, work)
        rebuild(project, work / project.database)
        again = asked(project, work, "--reverse")
        child(project, work, "--checks", work.parent / "state.json")
        keep_answers(project, found, again)


# The two sides, built by dbt


def build(project: Project, work: Path) -> None:
    """Build base, apply the pull request to it, and build again."""
    shutil.copytree(project.sources / "base", work)
    (work / "profiles.yml").write_text(profile(project))
    run_dbt(project, work, "target-base")
    shutil.copytree(project.sources / "pull_request", work, dirs_exist_ok=True)
    for path in project.removed:
        (work / path).unlink()
    run_dbt(project, work, "target")


def profile(project: Project) -> str:
    """Return a profile with one target per side, and one thread so that the order of rows is reproducible."""
    shared = {"type": "duckdb", "path": project.database, "threads": 1}
    settings = {"TimeZone": "UTC", "threads": 1}
    targets = {schema: {**shared, "schema": schema, "settings": settings} for schema in SCHEMAS.values()}
    return yaml.safe_dump({project.name: {"target": "dev", "outputs": targets}})


def run_dbt(project: Project, work: Path, side: str) -> None:
    """Build one side; `docs generate` has another directory, since it would overwrite the manifest."""
    dbt = Path(sys.executable).with_name("dbt")
    left_out = ("--exclude", project.not_built) if project.not_built else ()
    for arguments in (("build", *left_out), ("docs", "generate", *left_out)):
        target = side if arguments[0] == "build" else f"{side}-docs"
        command = [dbt, "--no-send-anonymous-usage-stats", *arguments, "--target-path", target]
        subprocess.run([*command, "--target", SCHEMAS[side]], cwd=work, env=environment(work), check=True)
    shutil.copy(work / f"{side}-docs" / "catalog.json", work / side / "catalog.json")


def environment(work: Path) -> dict[str, str]:
    """Return an environment with the temporary directory as home, in which recce's tracking is off."""
    home = work.parent
    (home / ".recce").mkdir(exist_ok=True)
    (home / ".recce" / "profile.yml").write_text("user_id: '00000000'\nanonymous_tracking: false\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "RECCE_"))}
    return {**kept, "HOME": str(home), "DBT_PROFILES_DIR": str(work), "TZ": "UTC", "PYTHONHASHSEED": "0"}


def keep_artifacts(project: Project, work: Path, side: str) -> None:
    """Write manifest and catalog compressed, without parts that differ between builds of the same code."""
    (project.data / side).mkdir(parents=True, exist_ok=True)
    for name in ARTIFACTS:
        content = scrubbed(json.loads((work / side / f"{name}.json").read_bytes()), work, side)
        text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
        if str(work) in text or str(Path.home()) in text:
            raise SystemExit(f"{name}.json still names this machine")
        (project.data / side / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def scrubbed(value: Any, work: Path, side: str) -> Any:
    """Return *value* with relative paths, fixed times and a fixed invocation."""
    fixed = {
        "user_id": None,
        "env": {},
        "generated_at": BUILT_AT,
        "invocation_started_at": BUILT_AT,
        "run_started_at": BUILT_AT,
        "invocation_id": f"00000000-0000-4000-8000-{'1' if side == 'target' else '0':0>12}",
        "created_at": 1795176000.0,
    }
    if isinstance(value, dict):
        return {
            key: fixed[key] if key in fixed else scrubbed(item, work, side) for key, item in value.items()
        }
    if isinstance(value, list):
        return [scrubbed(item, work, side) for item in value]
    return value.replace(str(work), ".") if isinstance(value, str) else value


# The tables as SQL


def write_data(project: Project, database: Path) -> None:
    """Write `data.sql`; views become tables, and tables that are equal on both sides are written once."""
    path = project.data / "data.sql"
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        path.write_text("".join(data_statements(connection)), encoding="utf-8")
        with duckdb.connect() as fresh:
            fresh.execute("set TimeZone = 'UTC'")
            fresh.execute(path.read_text(encoding="utf-8"))
            for schema, name in relations(connection):
                if as_text(connection, schema, name) != as_text(fresh, schema, name):
                    raise SystemExit(f"data.sql does not give {schema}.{name} back")


def data_statements(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    yield "-- The rows of both sides, written by scripts/build_recce_answers.py. Times are UTC.\n"
    for schema in SCHEMAS.values():
        yield f"\nCREATE SCHEMA {schema};\n"
    written = {}
    for schema, name in relations(connection):
        content = (as_text(connection, schema, name), constraints(connection, schema, name))
        if written.get(name) == content:
            yield f"\nCREATE TABLE {schema}.{name} AS FROM prod.{name};\n"
        else:
            yield from table_statements(connection, schema, name)
        written[name] = content if not content[1] else None


def table_statements(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> Iterator[str]:
    types = column_types(connection, schema, name)
    parts = [f"{quoted(column)} {type_}" for column, type_ in types.items()]
    yield f"\nCREATE TABLE {schema}.{name} ({', '.join([*parts, *constraints(connection, schema, name)])});\n"
    shown = ", ".join(
        quoted(column) if is_nested(type_) else f"cast({quoted(column)} as varchar)"
        for column, type_ in types.items()
    )
    rows = connection.execute(f"select {shown} from {schema}.{name}").fetchall()
    for start in range(0, len(rows), INSERTED_AT_ONCE):
        lines = [
            f"({', '.join(literal(value, type_) for value, type_ in zip(row, types.values(), strict=True))})"
            for row in rows[start : start + INSERTED_AT_ONCE]
        ]
        yield f"INSERT INTO {schema}.{name} VALUES\n" + ",\n".join(lines) + ";\n"


def relations(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Return schema and name of every table and view, base first."""
    query = "select table_schema, table_name from information_schema.tables order by 1 desc, 2"
    return [
        (schema, name) for schema, name in connection.execute(query).fetchall() if schema in SCHEMAS.values()
    ]


def column_types(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"describe {schema}.{name}").fetchall()}


def constraints(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> list[str]:
    """Return a contract's primary key, which a test may query in the database."""
    query = """
        select constraint_text from duckdb_constraints()
        where schema_name = ? and table_name = ? and constraint_type = 'PRIMARY KEY'
    """
    return [text for (text,) in connection.execute(query, [schema, name]).fetchall()]


def as_text(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> tuple[object, ...]:
    """Return a table's full content in row order, as text, which separates 0.0 from -0.0 and equates NaN."""
    types = column_types(connection, schema, name)
    rows = connection.execute(
        f"select {', '.join(f'cast({quoted(column)} as varchar)' for column in types)} from {schema}.{name}"
    ).fetchall()
    return tuple(types.items()), tuple(rows)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def is_nested(type_: str) -> bool:
    return type_.endswith("]") or type_.startswith(("STRUCT", "MAP"))


def literal(value: Any, type_: str) -> str:
    """Return *value* as a literal that DuckDB 1.1 reads back exactly; scalars are already DuckDB's own
    text.
    """
    if value is None:
        return "NULL"
    if isinstance(value, dict) and type_.startswith("MAP"):
        return "MAP {" + ", ".join(f"{plain(k)}: {plain(v)}" for k, v in value.items()) + "}"
    if is_nested(type_):
        return plain(value)
    is_number = re.fullmatch(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL.*|BOOLEAN)", type_)
    return value if is_number else plain(value)


def plain(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{plain(k)}: {plain(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(plain(item) for item in value) + "]"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def rebuild(project: Project, database: Path) -> None:
    """Replace dbt's database with one built only from `data.sql`."""
    database.unlink()
    with duckdb.connect(str(database)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute((project.data / "data.sql").read_text(encoding="utf-8"))


# The questions


def questions(project: Project) -> Iterator[Question]:
    """Yield every question with its parameters, from the catalog and from `questions.yml`."""
    asked_for = project.questions
    sides = {side: catalog_types(project, side) for side in SCHEMAS}
    columns = {
        model: {**sides["target-base"].get(model, {}), **sides["target"].get(model, {})}
        for model in asked_for["keys"]
    }
    yield from counts(project, asked_for)
    for parameters in asked_for["select"]:
        for type_ in ("schema_diff", "lineage_diff"):
            yield type_, parameters
    yield "change_analysis", {}
    for parameters in (*({"model": model} for model in columns), *asked_for["columns"]):
        yield "profile_diff", parameters
    for parameters in asked_for["columns"]:
        yield "profile", parameters
    yield from value_diffs(asked_for)
    for model, types in columns.items():
        for column, type_ in types.items():
            yield "top_k_diff", {"model": model, "column_name": column}
            yield "histogram_diff", {"model": model, "column_name": column, "column_type": type_}
    for type_ in ("top_k_diff", "histogram_diff", "query_diff"):
        for parameters in asked_for[type_]:
            yield type_, parameters
    for parameters in asked_for["query"]:
        yield "query", parameters
        yield "query_base", parameters


def counts(project: Project, asked_for: dict[str, Any]) -> Iterator[Question]:
    names = [*asked_for["keys"], "no_such_model"]
    identifiers = [*node_ids(project), f"model.{project.name}.no_such_model"]
    for type_ in ("row_count_diff", "row_count"):
        for name in names:
            yield type_, {"node_names": [name]}
        yield type_, {"node_names": names}
        yield type_, {"node_ids": identifiers}
        yield type_, {"node_names": names[:1], "node_ids": identifiers[:2]}
    for parameters in asked_for["select"]:
        yield "row_count_diff", parameters
    yield "row_count", {}
    for identifier in identifiers:
        yield "schema_diff", {"node_id": identifier}
    yield "schema_diff", {"node_id": identifiers}


def value_diffs(asked_for: dict[str, Any]) -> Iterator[Question]:
    """Yield value diffs; details with one key only, since keys hardly affect more than the order of rows."""
    for model, keys in asked_for["keys"].items():
        for number, key in enumerate(keys):
            for type_ in ("value_diff", "value_diff_detail")[: 2 if number == 0 else 1]:
                yield type_, {"model": model, "primary_key": key}
    for parameters in asked_for["value_diff"]:
        yield "value_diff", parameters
        yield "value_diff_detail", parameters


def node_ids(project: Project) -> list[str]:
    """Return the nodes of either side, except tests and similar nodes."""
    found = set()
    for side in SCHEMAS:
        found.update(kept_artifact(project, side, "manifest")["nodes"])
    return sorted(name for name in found if name.startswith(("model.", "seed.", "snapshot.")))


def catalog_types(project: Project, side: str) -> dict[str, dict[str, str]]:
    """Return {model: {column: type}} of one side, in column order."""
    catalog, manifest = (kept_artifact(project, side, name) for name in ("catalog", "manifest"))
    found = {}
    for unique_id, node in catalog["nodes"].items():
        columns = sorted(node["columns"].values(), key=lambda column: column["index"])
        found[manifest["nodes"][unique_id]["name"]] = {column["name"]: column["type"] for column in columns}
    return found


def kept_artifact(project: Project, side: str, name: str) -> Any:
    return json.loads(gzip.decompress((project.data / side / f"{name}.json.gz").read_bytes()))


# The answers, from recce in a separate process


def child(project: Project, work: Path, *arguments: object) -> None:
    command = [sys.executable, __file__, project.name, *map(str, arguments)]
    subprocess.run(command, cwd=work, env=environment(work), check=True)


def asked(project: Project, work: Path, *arguments: str) -> list[Answer]:
    path = work.parent / "answers.json"
    child(project, work, "--answer", path, *arguments)
    content: list[Answer] = json.loads(path.read_text())
    return content


def answers(project: Project, *, reverse: bool) -> list[Answer]:
    """Return recce's answers in the order of the questions, even if run in reverse."""
    from recce.core import RecceContext, set_default_context

    context = RecceContext.load(
        target="dev", target_path="target", target_base_path="target-base", project_dir=".", profiles_dir="."
    )
    set_default_context(context)
    keep_quiet()
    found = {}
    numbered = list(enumerate(questions(project)))
    for number, (type_, parameters) in reversed(numbered) if reverse else numbered:
        found[number] = answer(context, type_, parameters)
    return [found[number] for number in sorted(found)]


def answer(context: Any, type_: str, parameters: dict[str, Any]) -> Answer:
    """Return one answer, or the error that recce raises."""
    from recce.apis.run_func import create_task
    from recce.models.types import RunType

    given: Answer = {"type": type_, "params": parameters}
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            if type_ in WITHOUT_TASK:
                result = WITHOUT_TASK[type_](context, parameters)
            else:
                result = create_task(RunType(type_), json.loads(json.dumps(parameters))).execute()
        given["result"] = encoded(result)
    except Exception as error:  # noqa: BLE001 - whatever recce raises is its answer
        given["error"] = {"class": type(error).__name__, "message": anonymous(str(error))}
    if type_ == "histogram_diff" and is_half(given.get("result")):
        given["printed"] = anonymous(printed.getvalue())
    return given


def is_half(histogram: Any) -> bool:
    """Return True if a side has values but no counts: recce prints the database's error and continues."""
    if histogram is None:
        return False
    sides = (histogram["base"], histogram["current"])
    return any(not side.get("counts") and side.get("total", 1) for side in sides)


def keep_quiet() -> None:
    """Stop recce's timer for sending events, which reports an error without a file of events."""
    from recce import event

    event._collector.schedule_flush = lambda: None


def schema_diff(context: Any, parameters: dict[str, Any]) -> Any:
    """Return the schema diff, which is not a task: results of recce's MCP tool and of its summary."""
    from recce.mcp_server import RecceMCPServer
    from recce.tasks.schema import SchemaDiffResultDiffer

    differ = SchemaDiffResultDiffer(
        SimpleNamespace(params=parameters), context.get_lineage(base=True), context.get_lineage(base=False)
    )
    given = {
        "summary": {
            "related_node_ids": sorted(differ.related_node_ids),
            "changed_nodes": sorted(differ.changed_nodes or []),
            "coverage": differ.schema_coverage.status,
            "deepdiff": json.loads(differ.changes.to_json()) if differ.changes else None,
        },
    }
    if "node_id" not in parameters:  # the tool ignores it, and answers for all nodes
        frame = asyncio.run(RecceMCPServer._tool_schema_diff(SimpleNamespace(context=context), parameters))
        given["mcp"] = {**frame, "data": sorted(frame["data"])}
    return given


def lineage_diff(context: Any, parameters: dict[str, Any]) -> Any:
    """Return the lineage diff, which is not a task either: the answer of recce's MCP tool."""
    from recce.mcp_server import RecceMCPServer

    return asyncio.run(RecceMCPServer._tool_lineage_diff(SimpleNamespace(context=context), parameters))


def change_analysis(context: Any, parameters: dict[str, Any]) -> Any:
    """Return {node: status, category and columns of the change}."""
    diff = context.get_lineage_diff().diff
    return {node_id: context.adapter.get_change_analysis_cached(node_id) for node_id in sorted(diff)}


WITHOUT_TASK = {
    "schema_diff": schema_diff,
    "lineage_diff": lineage_diff,
    "change_analysis": change_analysis,
}


def encoded(value: Any) -> Any:
    """Return *value* as in recce's state file, except what JSON cannot represent: see
    tests/data/recce/README.md.
    """
    from pydantic import BaseModel, TypeAdapter

    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, dict):
        return {str(key): encoded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [encoded(item) for item in (sorted(value) if isinstance(value, set) else value)]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, (date, datetime, time, timedelta, Decimal, UUID)):
        return json.loads(TypeAdapter(type(value)).dump_json(value))
    return getattr(value, "value", value)


def anonymous(text: str) -> str:
    """Return *text* without the directory and the random names of recce's queries."""
    text = text.replace(str(Path.cwd()), ".").strip()
    return re.sub(r"(?<=generated)_[0-9a-f]{32}| at 0x[0-9a-f]+", "", text)


def run_checks(state: Path) -> None:
    """Run `recce.yml` as `recce run` does; fail if recce rejects a check."""
    from recce.run import cli_run
    from recce.state import FileStateLoader

    arguments = {"target": "dev", "target_path": "target", "target_base_path": "target-base"}
    keep_quiet()
    loader = FileStateLoader(state_file=None)
    asyncio.run(cli_run(str(state), state_loader=loader, project_dir=".", profiles_dir=".", **arguments))
    kept = {check["name"] for check in json.loads(state.read_text())["checks"]}
    wanted = {check["name"] for check in yaml.safe_load(Path("recce.yml").read_text())["checks"]}
    if kept != wanted:
        raise SystemExit(f"recce did not take the checks {sorted(wanted - kept)}")


# Output files


def keep_answers(project: Project, found: list[Answer], again: list[Answer]) -> None:
    """Write `answers.json`, one answer per line; mark answers that differ from their repetition."""
    for first, second in zip(found, again, strict=True):
        if first != second:
            first["unstable"] = True
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    head = {"versions": {"python": sys.version.split()[0], **versions}, "schemas": SCHEMAS}
    lines = ",\n".join(json.dumps(item, ensure_ascii=False) for item in found)
    text = json.dumps(head, indent=1)[:-2] + f',\n "answers": [\n{lines}\n]\n}}\n'
    (project.data / "answers.json").write_text(text, encoding="utf-8")
    print(project.name, summary(found))


def summary(found: Iterable[Answer]) -> dict[str, str]:
    """Return {type: number of answers, errors, unstable answers}."""
    tally: dict[str, list[int]] = {}
    for item in found:
        numbers = tally.setdefault(item["type"], [0, 0, 0])
        for place, counted in enumerate((True, "error" in item, "unstable" in item)):
            numbers[place] += counted
    return {
        type_: f"{all_} answers, {errors} errors, {unstable} unstable"
        for type_, (all_, errors, unstable) in tally.items()
    }


if __name__ == "__main__":
    main()
