"""Checks of statements by GoogleSQL's analyzer before DuckDB runs them, with BigQuery's error messages."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Container, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.emulators.bigquery.results import Field
from tests.emulators.bigquery.translate import NOT_JUDGED, Refused
from tests.emulators.install import python_of

PROGRAM = Path(__file__).with_name("googlesql.py")
Table = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]
"""Parts of a name as in the statement, and the name and type of each column."""

Names = tuple[tuple[str, ...], ...]

_ALTERED = re.compile(
    r"(?:\s|--.*\n)*ALTER\s+(?:TABLE|VIEW)\s+(?:IF\s+EXISTS\s+)?(?P<name>(?:`[^`]*`|[\w.-])+)", re.I
)
"""A statement whose table GoogleSQL does not list among its names, although it requires it."""
_PART = re.compile(r"`[^`]*`|[\w-]+")
_WORD = re.compile(r"\w{3,}")
_PLACE = re.compile(r"\[at (\d+:\d+)\]")
_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


class Judge:
    """GoogleSQL in a separate process, used by one thread at a time; results are cached."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(python_of("bigquery")), str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._lock = threading.Lock()
        self._read()
        self._found_names = lru_cache(4000)(self._ask_names)
        self._known = lru_cache(4000)(self._verdict)

    def names(self, sql: str, datasets: Container[str] = ()) -> Names:
        """Return the parts of the name of each table that *sql* reads.

        Raises Refused if it is not one statement.
        """
        if NOT_JUDGED.fullmatch(sql):
            return ()
        alike, real = _alike(sql, datasets)
        try:
            found = self._found_names(alike)
        except Refused:
            return self._ask_names(sql)
        return tuple(
            tuple(_WORD.sub(lambda word: real.get(word[0], word[0]), part) for part in name) for name in found
        )

    def check(
        self,
        sql: str,
        tables: Sequence[Table],
        parameters: Sequence[tuple[str, str]] | None = None,
        datasets: Container[str] = (),
    ) -> None:
        """Raise Refused if BigQuery would not run *sql* on *tables*; parameters without types fit anything.

        Statements that differ only in names of *datasets* are checked once.
        """
        if NOT_JUDGED.fullmatch(sql):
            return
        alike, real = _alike(sql, datasets)
        renamed = {name: standing for standing, name in real.items()}
        moved = tuple(
            (tuple(_WORD.sub(lambda word: renamed.get(word[0], word[0]), part) for part in name), columns)
            for name, columns in tables
        )
        if not self._known(alike, moved, None if parameters is None else tuple(parameters)):
            self._ask("analyze", sql, tables, parameters)
            raise Refused(f"GoogleSQL refused this only with other names of datasets: {alike}")

    def columns(self, sql: str, tables: Sequence[Table]) -> list[tuple[str, str]]:
        """Return the name and type of each column of a query."""
        return [(name, of) for name, of in self._ask("columns", sql, tables)]

    def rows(self, sql: str, tables: dict[str, str]) -> list[Any]:
        """Return the rows of a query by GoogleSQL's own evaluator; each table is given as a query for
        its rows.
        """
        return [json.loads(row) for row in self._ask("rows", sql, tables)]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()

    def _ask_names(self, sql: str) -> Names:
        found = tuple(tuple(parts) for parts in self._ask("names", sql))
        altered = _ALTERED.match(sql)
        if altered is None:
            return found
        return (tuple(part.strip("`") for part in _PART.findall(altered["name"])), *found)

    def _verdict(self, sql: str, tables: Sequence[Table], parameters: Sequence[Any] | None) -> bool:
        try:
            self._ask("analyze", sql, tables, parameters)
        except Refused:
            return False
        return True

    def _ask(self, *question: object) -> Any:
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._read())
        if "error" in answer:
            raise Refused(_PLACE.sub(r"at [\1]", answer["error"]))
        return answer["answer"]

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("GoogleSQL ended: see the emulator's log")
        return line


def _alike(sql: str, datasets: Container[str]) -> tuple[str, dict[str, str]]:
    """Replace *datasets* in *sql* with names of equal length; return it, and the dataset of each name."""
    given: dict[str, str] = {}

    def standing(word: re.Match[str]) -> str:
        name = word[0]
        if name not in datasets:
            return name
        return given.setdefault(name, f"d{len(given)}".ljust(len(name), "_"))

    return _WORD.sub(standing, sql), {new: name for name, new in given.items()}


def type_of(field: Field) -> str:
    """Return the type of a column in GoogleSQL's syntax."""
    if field["mode"] == "REPEATED":
        return f"ARRAY<{type_of({**field, 'mode': 'NULLABLE'})}>"
    if field["type"] == "RECORD":
        parts = (f"`{part['name']}` {type_of(part)}" for part in field["fields"])
        return f"STRUCT<{', '.join(parts)}>"
    return _TYPES.get(field["type"], field["type"])


def path_of(name: Sequence[str]) -> str:
    """Return a table's name for a statement, quoted except for views of INFORMATION_SCHEMA."""
    plain = [part.upper() for part in name].index("INFORMATION_SCHEMA") if _is_catalog(name) else len(name)
    return ".".join([_quoted(part) for part in name[:plain]] + list(name[plain:]))


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _is_catalog(name: Sequence[str]) -> bool:
    return any(part.upper() == "INFORMATION_SCHEMA" for part in name)


def parameter_type(kind: dict[str, Any]) -> str:
    """Return the type of a query parameter, given as in the API, in GoogleSQL's syntax."""
    return f"ARRAY<{parameter_type(kind['arrayType'])}>" if kind["type"] == "ARRAY" else kind["type"]
