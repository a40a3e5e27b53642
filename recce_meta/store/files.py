"""Finds the SQL files, renders them for a dialect, and puts the schema's name in.

Canonical files (`sql/ddl`, `sql/views`, …) are PostgreSQL without a schema name, so that they run under
a `search_path`. `python -m recce_meta.store.files` renders each into `sql/dialects/<dialect>/`, where
every table stands in the schema `recce_metadata`; what cannot be translated is written by hand there
and says so in its first line. At run time only the rendered files are read, and only the schema's name
is replaced: what is executed is what a user can read. How each dialect is rendered is told in `rendering`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recce_meta.errors import UnknownNameError

DEFAULT_SCHEMA = "recce_metadata"
"""The schema in the rendered files, and the one used unless another is named."""
KINDS = ("ddl", "views", "queries", "cookbook", "migrations")
HAND_WRITTEN = "-- hand-written"
"""How the first line begins of a rendered file that the renderer leaves alone."""

_LEXEMES = re.compile(
    r"""(?P<kept>'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | --[^\n]* | /\*.*?\*/)
      | (?<![\w.$])(?P<schema>recce_metadata)(?=[.;])
      | (?P<end>;)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One rendered file."""

    name: str
    """The file's name without `.sql`."""
    path: Path
    text: str

    def in_schema(self, quoted_schema: str) -> str:
        """The text with every table in *quoted_schema*; literals and comments stay as they are."""
        return _LEXEMES.sub(lambda found: quoted_schema if found["schema"] else found[0], self.text)

    def statements(self, quoted_schema: str = DEFAULT_SCHEMA) -> tuple[str, ...]:
        """The statements one by one, without their semicolons."""
        return tuple(split_statements(self.in_schema(quoted_schema)))


def split_statements(text: str) -> Iterator[str]:
    """The statements of *text*: a semicolon in a literal or comment ends none, a lone comment is none."""
    start = 0
    for found in _LEXEMES.finditer(text + ";"):
        if found["end"]:
            statement = text[start : found.start()].strip()
            if _without_comments(statement).strip():
                yield statement
            start = found.end()


def _without_comments(text: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def sql_root() -> Path:
    """The folder of the SQL files: inside the installed package, else the checkout's."""
    packaged = Path(__file__).parents[1] / "_sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "sql"


def dialects() -> tuple[str, ...]:
    """The dialects that there are rendered files for."""
    return tuple(sorted(path.name for path in (sql_root() / "dialects").iterdir() if path.is_dir()))


def ddl(dialect: str) -> tuple[SqlFile, ...]:
    """The tables, in the order in which they are created."""
    return _files("ddl", dialect)


def views(dialect: str) -> tuple[SqlFile, ...]:
    """The views, each after those that it reads."""
    return tuple(_in_order_of_use(_files("views", dialect)))


def cookbook(dialect: str) -> tuple[SqlFile, ...]:
    """The questions that people ask, by name."""
    return _files("cookbook", dialect)


def migrations(dialect: str) -> tuple[tuple[int, SqlFile], ...]:
    """Each migration with the schema version that it leads to, in order."""
    return tuple((int(file.name.split("_")[0]), file) for file in _files("migrations", dialect))


def query(name: str, dialect: str) -> SqlFile:
    """One statement of the tool's own."""
    return _read(sql_root() / "dialects" / dialect / "queries" / f"{name}.sql")


def _files(kind: str, dialect: str) -> tuple[SqlFile, ...]:
    if dialect not in dialects():
        raise UnknownNameError("dialect", dialect, dialects())
    return tuple(_read(path) for path in sorted((sql_root() / "dialects" / dialect / kind).glob("*.sql")))


def _read(path: Path) -> SqlFile:
    return SqlFile(path.stem, path, path.read_text(encoding="utf-8"))


def _in_order_of_use(files: Sequence[SqlFile]) -> Iterator[SqlFile]:
    """Each file after those whose names it mentions as tables; views cannot read each other in a circle."""
    waiting = {file.name: file for file in files}
    reads = {
        file.name: set(re.findall(rf"\b{DEFAULT_SCHEMA}\.(\w+)", _without_comments(file.text))) - {file.name}
        for file in files
    }
    while waiting:
        ready = [name for name in waiting if not reads[name] & waiting.keys()] or list(waiting)
        for name in ready:
            yield waiting.pop(name)


def main() -> None:
    """Render what is stale, remove what has no canonical file, and say which."""
    from recce_meta.store.rendering import orphans, stale  # development alone needs it, and sqlglot

    root = sql_root()
    for path, text in stale(root).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"rendered {path.relative_to(root)}\n")
    for path in orphans(root):
        path.unlink()
        sys.stdout.write(f"removed {path.relative_to(root)}\n")


if __name__ == "__main__":
    main()
