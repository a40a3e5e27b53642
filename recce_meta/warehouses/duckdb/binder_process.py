"""Process that binds SQL in DuckDB over empty relations, without files, network and extensions.

It is a script that needs only the standard library and DuckDB's compiled module, so that it starts fast.
While DuckDB binds, it may fold constants, call table functions and read files. So processor time and memory
are limited, and a text that exceeds a limit ends this process. Each line of standard input is a request, and
each of standard output its answer, in JSON.
"""

from __future__ import annotations

import json
import mmap
import os
import resource
import sys
from errno import ENOMEM
from importlib import import_module
from pathlib import Path
from typing import Any

MEMORY = 384 * 1024 * 1024
"""Memory that all texts may use; DuckDB itself occupies 60 MB, and reserves addresses for more."""
SECONDS = 4
"""Processor time of one text; the limit counts whole seconds."""
SETTINGS = (
    "errors_as_json = true",
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "allow_community_extensions = false",
    "allow_persistent_secrets = false",
    "memory_limit = '256MB'",
    "temp_directory = ''",
    "enable_external_access = false",
    "lock_configuration = true",  # the last one
)
MOST_ARGUMENTS = 12
PARAMETERS = [f"a{number}" for number in range(MOST_ARGUMENTS)]
SCHEMA = "create schema if not exists"
NAME = "recce_query"
"""Name that a query has here."""
PREFIX = "describe select * from (\n"
EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE_INTO")
"""Statements of hooks that are bound by EXPLAIN."""
CHANGING = ("CREATE", "ALTER", "DROP")
"""Statements of hooks that are run on empty relations, and taken back. No others are looked at."""
MOST_SCHEMAS = 5
"""Most schemas that are created because statements name them."""
UNKNOWN = '"NULL"'
"""DuckDB's name of the type of a value that is only NULL."""


def limit_memory() -> bool:
    """Limit what this process allocates from now on, and return False if the system does not do so."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * mmap.PAGESIZE + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        mmap.mmap(-1, 2 * MEMORY).close()
    except MemoryError:
        return True
    except (OSError, ValueError) as error:
        return isinstance(error, OSError) and error.errno == ENOMEM
    return False


def limit_time() -> None:
    """Allow the next text its processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + SECONDS, hard))


def quoted(*parts: str) -> str:
    """Return a qualified name."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


class World:
    """A database in memory with an empty view for each relation that a text reads."""

    def __init__(self, duckdb: Any) -> None:
        self._duckdb = duckdb
        self._connection = duckdb.connect(
            ":memory:", config={"threads": "1", "python_enable_replacements": "false"}
        )
        for setting in SETTINGS:
            self._connection.execute(f"set {setting}")
        self._views: dict[tuple[str, ...], tuple[bool, list[list[str]]]] = {}
        """Relations that exist: whether each is a table, and its columns."""
        self._places: set[tuple[str, tuple[str, ...]]] = set()
        self._types: dict[str, str] = {}
        self._functions: set[str] = set()
        self._parsed: tuple[str, list[Any]] = ("", [])
        """The last text, which is bound for each type that an unknown one may be, and its statements."""

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the columns of the query of *request*, or why it is refused."""
        tables = request.get("tables")
        views = {tuple(name): (name in (tables or ()), columns) for name, columns in request["views"]}
        for name in [name for name, (was, _) in self._views.items() if views.get(name, (None,))[0] != was]:
            self._run(f"drop {'table' if self._views.pop(name)[0] else 'view'} {quoted(*name)}")
        try:
            for name in [name for name, wanted in views.items() if self._views.get(name) != wanted]:
                self._create(name, *views[name])
            for function in request["functions"]:
                self._allow(function)
        except self._duckdb.Error as error:
            return {"refusal": {"kind": "Relation", "text": f"no such relation can be created: {error}"}}
        if tables is not None:
            return self._bound_statements(request["sql"])
        text = f"{PREFIX}{request['sql']}\n) as {NAME}"
        try:
            statements = self._statements(text)
            if len(statements) != 1:
                return {
                    "refusal": {
                        "kind": "Parser",
                        "text": "a semicolon ends the query",
                        "line": None,
                        "name": "",
                    }
                }
            rows = self._connection.execute(statements[0]).fetchall()
        except self._duckdb.Error as error:
            return {"refusal": self._refusal(error, text)}
        return {"columns": [[row[0], "" if UNKNOWN in row[1] else row[1]] for row in rows]}

    def _statements(self, text: str) -> list[Any]:
        if text != self._parsed[0]:
            self._parsed = "", []  # Two trees of long texts may exceed the limit of memory.
            self._parsed = text, self._connection.extract_statements(text)
        return self._parsed[1]

    def _bound_statements(self, sql: str) -> dict[str, Any]:
        """Bind the statements of *sql*, after creating the schemas that they name, as dbt does."""
        found = self._bound_in_turn(sql)
        for _ in range(MOST_SCHEMAS):
            refusal = found.get("refusal") or {"text": ""}
            if not refusal["text"].startswith("Schema with name") or not refusal["name"]:
                break
            self._run(f"{SCHEMA} {quoted(refusal['name'])}")
            found = self._bound_in_turn(sql)
        return found

    def _bound_in_turn(self, sql: str) -> dict[str, Any]:
        """Bind each statement of *sql* after those before it; nothing of them stays."""
        self._run("begin")
        try:
            for statement in self._connection.extract_statements(sql):
                kind = statement.type.name
                if kind in EXPLAINED:
                    self._run(f"explain {statement.query}")
                elif kind in CHANGING:
                    self._connection.execute(statement)
                else:
                    break
        except self._duckdb.Error as error:
            return {"refusal": self._refusal(error, sql)}
        finally:
            self._run("rollback")
        return {"columns": []}

    def _run(self, sql: str) -> None:
        self._connection.execute(sql)

    def _create(self, name: tuple[str, ...], is_table: bool, columns: list[list[str]]) -> None:
        for statement, parts in (("attach ':memory:' as", name[:-2]), (SCHEMA, name[:-1])):
            if parts and (statement, parts) not in self._places:
                self._run(f"{statement} {quoted(*parts)}")
                self._places.add((statement, parts))
        # A table cannot have columns without a type.
        values = [self._value(kind or "varchar" * is_table) for _, kind in columns]
        listed = [f"{value} as {quoted(column)}" for value, (column, _) in zip(values, columns, strict=True)]
        query = f"select {', '.join(listed) or 'null'} where false"
        create = "create or replace" if name in self._views else "create"
        self._run(f"{create} {'table' if is_table else 'view'} {quoted(*name)} as {query}")
        self._views[name] = is_table, columns

    def _value(self, kind: str) -> str:
        """Return NULL of a type; of no type if DuckDB has none of that name."""
        if kind not in self._types:
            self._types[kind] = "null"
            try:
                statements = self._connection.extract_statements(f"describe select cast(null as {kind}) as a")
                found = self._connection.execute(statements[0]).fetchall() if len(statements) == 1 else []
            except self._duckdb.Error:
                found = []
            if [name for name, *_ in found] == ["a"]:
                self._types[kind] = f"cast(null as {kind})"
        return self._types[kind]

    def _allow(self, function: str) -> None:
        """Define a function that DuckDB lacks: any arguments, which are bound, and an unknown type."""
        if function in self._functions:
            return
        bodies = [
            f"({', '.join(PARAMETERS[:number])}) as "
            + (f"case when row({', '.join(PARAMETERS[:number])}) is null then null end" if number else "null")
            for number in range(MOST_ARGUMENTS + 1)
        ]
        self._run(f"create or replace temp macro {quoted(function)} {', '.join(bodies)}")
        self._functions.add(function)

    def _refusal(self, error: Exception, text: str) -> dict[str, Any]:
        said = str(error)
        try:
            found = json.loads(said[said.index("{") :])
            kind, words = found["exception_type"], found["exception_message"]
        except (ValueError, KeyError, TypeError):
            found = {}
            kind, _, words = said.partition(" Error: ")
        position = str(found.get("position", ""))
        lines = text.encode()[: int(position)].count(b"\n") if position.isdigit() else None
        # A query ends before the last line, which has the name that this process gives it.
        line = min(lines, text.count("\n") - text.startswith(PREFIX)) if lines else lines
        return {
            "kind": kind,
            "text": words.partition("\n")[0].replace(f'at or near "{NAME}"', "at the end"),
            "line": line,
            "name": found.get("name") or "",
        }


def main() -> None:
    """Answer each request; the first line has the version of DuckDB, or says that nothing limits memory."""
    sys.path.append(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # DuckDB may print
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit_time()
    try:
        duckdb = import_module("_duckdb")
    except ImportError:
        duckdb = import_module("duckdb")
    world = World(duckdb)
    if limit_memory():
        print(json.dumps({"version": duckdb.__version__}), file=answers, flush=True)
        for line in sys.stdin:
            limit_time()
            print(json.dumps(world.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
