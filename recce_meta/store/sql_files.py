"""Access to the store's SQL files by dialect, with the schema's name inserted.

Canonical files (`sql/ddl`, `sql/views`, …) are PostgreSQL without a schema name, so they run under
a `search_path`. `scripts/render_sql.py` renders them for all dialects into one file per kind,
`_sql/<kind>.sql.gz`, when the package is built or installed; every table is in the schema `recce_metadata`
there. What cannot be translated is written by hand in `sql/dialects/<dialect>/`. At run time only the kinds
in use are read, and only the schema's name is replaced: `recce-meta sql` prints exactly what is executed.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from recce_meta.errors import ConfigurationError, UnknownNameError

DEFAULT_SCHEMA = "recce_metadata"
"""Schema in the rendered files, and the default schema of a store."""
TABLE_PREFIX = "store_"
"""Start of the names of tables, which a browser of the warehouse then lists after the views."""
KINDS = {
    "ddl": "table",
    "views": "view",
    "queries": "query",
    "cookbook": "question",
    "migrations": "migration",
}
"""Kinds of files, with the word for one of each."""
COMMENTS = "comments"
"""Kind of the comments on views, rendered from the views' first sentences and `sql/columns.yml`."""
FILE = "-- file: "
"""Start of the line before each rendered text; its kind and name follow, then the dialects that share it."""
DIALECTS = "-- dialects: "
"""Start of the first line of each file of a kind; the dialects and the hash of the sources follow."""
RENDERED = Path(__file__).parents[1] / "_sql"
"""Folder of the rendered files, one per kind; git does not track it."""
SUFFIX = ".sql.gz"
SOURCES = Path(__file__).parents[2] / "sql"
"""Folder of the sources, in a checkout."""
FOREIGN_STORE = "store (of the user)"
"""Name under which `store_tables` lists a user's table `store`, where a store shares its schema."""
KEYS: Mapping[str, tuple[str, ...]] = {
    "runs": ("run_id",),
    "graph_parts": ("graph_id", "part_id"),
    "part_nodes": ("part_id", "unique_id"),
    "node_versions": ("version_id",),
    "version_parents": ("version_id", "parent_id"),
    "macros": ("version_id",),
    "macro_sets": ("macro_set_id", "version_id"),
    "run_results": ("run_id", "unique_id"),
    "node_statistics": ("run_id", "unique_id"),
    "column_statistics": ("run_id", "unique_id", "ordinal"),
    "data_diffs": ("diff_id",),
    "column_diffs": ("diff_id", "ordinal"),
    "column_parts": ("column_graph_id", "part_id"),
    "column_part_nodes": ("part_id", "unique_id"),
    "column_analyses": ("lineage_id",),
    "column_edges": ("lineage_id", "ordinal"),
    "fact_parts": ("run_id", "part_id"),
    "relation_facts": ("part_id", "unique_id"),
    "version_references": ("version_id", "ordinal"),
    "quality_runs": ("quality_run_id",),
    "table_quality": ("quality_run_id", "unique_id"),
    "column_quality": ("quality_run_id", "unique_id", "ordinal"),
    "column_top_values": ("quality_run_id", "unique_id", "ordinal", "place"),
    "quality_metrics": ("quality_run_id", "unique_id", "ordinal", "place"),
    "check_results": ("check_result_id",),
    "reviews": ("review_id",),
    "annotation_events": ("event_id",),
    "run_hashes": ("run_id",),
    "tombstones": ("run_id",),
    "sync_conflicts": ("conflict_id",),
    "sync_conflict_pieces": ("conflict_id", "ordinal"),
    "syncs": ("sync_id",),
    "graph_steps": ("previous_graph_id", "graph_id", "same_dbt"),
    "code_steps": ("graph_id", "macro_set_id", "previous_graph_id", "previous_macro_set_id"),
    "code_changes": ("step_id", "unique_id"),
    "graph_impacts": ("impacts_id", "unique_id", "changed_id"),
    "kept_diffs": ("inputs_id",),
    "source_freshness": ("run_id", "unique_id"),
    "graph_changes": ("previous_graph_id", "graph_id", "same_dbt", "unique_id"),
}
"""Key columns by table, without the prefix of table names; `store` is missing because it has one row."""


# Literals and comments are alternatives that come first, so that nothing inside them matches.
_LEXEMES = re.compile(
    r"""(?P<kept>'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | --[^\n]* | /\*.*?\*/)
      | (?<![\w.$])(?P<schema>recce_metadata)(?=[.;])
      | (?P<end>;)""",
    re.VERBOSE | re.DOTALL,
)


_RELATION = re.compile(
    rf"^CREATE (?:OR REPLACE )?(?:TABLE|VIEW) (?:IF NOT EXISTS )?(?:{DEFAULT_SCHEMA}\.)?(\w+)", re.MULTILINE
)
_TABLE = re.compile(r"^CREATE TABLE IF NOT EXISTS (.+) \($", re.MULTILINE)
_COLUMN = re.compile(r"^  ([\"`]?[a-z_]+[\"`]?) [A-Z]", re.MULTILINE)
_READ = re.compile(rf"\b{DEFAULT_SCHEMA}\.(\w+)|\b(?:FROM|JOIN)\s+(?!{DEFAULT_SCHEMA}\b)(\w+)")
"""Relation that a file reads; a dialect without schemas does not name any."""
_CREATE_VIEW = re.compile(rf"^CREATE OR REPLACE VIEW {DEFAULT_SCHEMA}\.\w+ (?:AS\s|\()", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One rendered file."""

    name: str
    """Name of the file without `.sql`."""
    kind: str
    """One of KINDS, or COMMENTS."""
    text: str

    def in_schema(self, quoted_schema: str) -> str:
        """Return the text with every table in *quoted_schema*; literals and comments are not changed."""
        return _LEXEMES.sub(lambda found: quoted_schema if found["schema"] else found[0], self.text)

    def statements(self, quoted_schema: str = DEFAULT_SCHEMA) -> tuple[str, ...]:
        """Return the statements without their semicolons."""
        return tuple(map(quoted_schema.join, _pieces(self)))


@cache
def _pieces(file: SqlFile) -> tuple[tuple[str, ...], ...]:
    """Return the statements of *file*, each in the pieces between which the schema is named."""
    return tuple(tuple(one.split("\0")) for one in split_statements(file.in_schema("\0")))


def split_statements(text: str) -> Iterator[str]:
    """Yield the statements of *text*, without lone comments.

    A semicolon in a literal or comment does not end a statement.
    """
    start = 0
    # The last statement may have no semicolon.
    for found in _LEXEMES.finditer(text + ";"):
        if found["end"]:
            statement = text[start : found.start()].strip()
            if _without_comments(statement).strip():
                yield statement
            start = found.end()


def _without_comments(text: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def dialects() -> tuple[str, ...]:
    """Return the dialects that have rendered files; none in a checkout whose SQL was not rendered."""
    try:
        with gzip.open(RENDERED / f"ddl{SUFFIX}", "rt", encoding="utf-8") as lines:
            names, _, _ = lines.readline().removeprefix(DIALECTS).partition(";")
    except FileNotFoundError:
        return ()
    return tuple(names.split())


def rendered_script(dialect: str) -> str:
    """Return all files of *dialect*, each after its line FILE."""
    return "".join(f"{FILE}{file.kind}/{file.name}\n{file.text}" for file in files(dialect).values())


def not_rendered() -> ConfigurationError:
    """Return the error of a checkout without the rendered SQL of this version."""
    hint = "run pip install -e . in the checkout, or python scripts/render_sql.py"
    return ConfigurationError("The SQL of the store is not built, or older than its sources", hint=hint)


def _is_outdated(kind: str) -> bool:
    """Return True in a checkout whose sources of *kind* were replaced later, as by `git pull`."""
    # An installed package has no sources; some dialects have files written by hand.
    sources = [one for one in (SOURCES / kind, *SOURCES.glob(f"dialects/*/{kind}")) if one.is_dir()]
    built = (RENDERED / f"{kind}{SUFFIX}").stat().st_mtime if sources else 0.0
    return any(one.stat().st_mtime > built for one in sources)


def files(dialect: str) -> Mapping[tuple[str, str], SqlFile]:
    """Return all files of *dialect* by kind and name, in this order.

    Raises ConfigurationError in a checkout whose SQL was not rendered.
    """
    kinds = (*sorted(KINDS), COMMENTS)
    return {(kind, name): file for kind in kinds for name, file in _by_name(kind, dialect).items()}


@cache
def _by_name(kind: str, dialect: str) -> Mapping[str, SqlFile]:
    """Return the files of *dialect* of one kind, without reading those of other kinds."""
    if not (known := dialects()) or _is_outdated(kind):
        raise not_rendered()
    if dialect not in known:
        raise UnknownNameError("dialect", dialect, known)
    found = {}
    texts = gzip.decompress((RENDERED / f"{kind}{SUFFIX}").read_bytes()).decode()
    for part in texts.split(FILE)[1:]:
        place, _, text = part.partition("\n")
        name, *sharing = place.split(" ")
        if dialect in sharing:
            name = name.partition("/")[2]
            found[name] = SqlFile(name, kind, text)
    return found


def ddl(dialect: str) -> tuple[SqlFile, ...]:
    """Return the files of the tables, in order of creation."""
    return _files("ddl", dialect)


def views(dialect: str, *, has_comments: bool = True) -> tuple[SqlFile, ...]:
    """Return the files of the views, each after the views that it reads.

    With *has_comments* they contain the comments if the warehouse has them in CREATE VIEW; `comments` returns
    those of the other warehouses.
    """
    found = _in_order_of_use(_files("views", dialect))
    if not has_comments:
        return tuple(found)
    return tuple(_with_comments(view, _by_name(COMMENTS, dialect).get(view.name)) for view in found)


def comments(dialect: str) -> tuple[SqlFile, ...]:
    """Return the files that comment on the views and their columns; none if `views` contains the comments."""
    return tuple(file for file in _files(COMMENTS, dialect) if not _CREATE_VIEW.match(file.text))


def public_relations(dialect: str) -> tuple[str, ...]:
    """Return the names of the relations that users may query, sorted; all are views.

    The other relations of a store are `store` and those whose names start with TABLE_PREFIX.
    """
    return tuple(file.name for file in _files("views", dialect) if not file.name.startswith(TABLE_PREFIX))


def relations(dialect: str) -> tuple[str, ...]:
    """Return the names of all relations of a store: its tables, and every view."""
    found = (*_files("ddl", dialect), *_files("views", dialect))
    return tuple(name for file in found for name in _RELATION.findall(file.text))


def no_rows(dialect: str, quoted_schema: str) -> str:
    """Return a query of all columns of all tables of a store; it has no rows."""
    texts = [text for file in ddl(dialect) for text in file.statements(quoted_schema)]
    return " UNION ALL ".join(
        f"SELECT 1 FROM (SELECT {', '.join(_COLUMN.findall(text))} FROM {table} WHERE 1 = 0) AS read_table"  # noqa: S608
        for text in texts
        for table in _TABLE.findall(text)
    )


def computed_changes(dialect: str, quoted_schema: str) -> str:
    """Return the query of the view `node_changes`, as if no changes were stored."""
    file = _by_name("views", dialect)["node_changes"]
    stored = rf"(?:\b{DEFAULT_SCHEMA}\.)?\bstore_graph_(?:steps|changes)\b"
    text = re.sub(stored, r"(SELECT * FROM \g<0> WHERE 1 = 0)", file.text)
    *_, statement = replace(file, text=text).statements(quoted_schema)
    return statement.partition("node_changes AS\n")[2]


def table_name(table: str) -> str:
    """Return the name that *table* has in the store."""
    return TABLE_PREFIX + table


def renames(dialect: str, quoted_schema: str) -> tuple[tuple[str, str], ...]:
    """Return each table that had no prefix before version 9, with the statement that renames it."""
    file = query("rename_tables", dialect)
    names = re.findall(rf"^ALTER TABLE (?:{DEFAULT_SCHEMA}\.)?(\w+)\s", file.text, re.MULTILINE)
    return tuple(zip(names, file.statements(quoted_schema), strict=True))


def cookbook(dialect: str) -> tuple[SqlFile, ...]:
    """Return the files of the cookbook queries, by name."""
    return _files("cookbook", dialect)


def cookbook_topics() -> dict[str, dict[str, str]]:
    """Return the questions of the cookbook by topic and name."""
    found: dict[str, dict[str, str]] = {}
    for file in cookbook("postgres"):
        topics = re.findall(r"^-- Topic: (.*)", file.text, re.MULTILINE)
        if not topics:  # rendered by an earlier version
            raise not_rendered()
        found.setdefault(topics[0], {})[file.name] = re.findall(r"^-- (.*\?)$", file.text, re.MULTILINE)[0]
    return dict(sorted(found.items()))


def migrations(dialect: str) -> tuple[tuple[int, SqlFile], ...]:
    """Return each migration with the schema version that it produces, in order."""
    return tuple((int(file.name.split("_")[0]), file) for file in _files("migrations", dialect))


def queries(dialect: str) -> tuple[SqlFile, ...]:
    """Return the files of the tool's own queries, by name."""
    return _files("queries", dialect)


def query(name: str, dialect: str) -> SqlFile:
    """Return the file of one of the tool's own queries."""
    return _by_name("queries", dialect)[name]


def script(kind: str, dialect: str, quoted_schema: str, name: str | None = None) -> str:
    """Return all files of *kind*, or the file *name*, in *quoted_schema*, with what they need or comment on.

    Raises UnknownNameError for another kind or name.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of SQL", kind, tuple(KINDS))
    found = {file.name: file for file in (views(dialect) if kind == "views" else _files(kind, dialect))}
    if name is not None and name not in found:
        raise UnknownNameError(KINDS[kind], name, sorted(found))
    chosen = list(found.values()) if name is None else [found[name]]
    first = [query("create_schema", dialect)] if kind == "ddl" and name is None else []
    last = [file for file in comments(dialect) if kind == "views" and found.get(file.name) in chosen]
    return "\n".join(file.in_schema(quoted_schema) for file in [*first, *chosen, *last])


def _files(kind: str, dialect: str) -> tuple[SqlFile, ...]:
    return tuple(_by_name(kind, dialect).values())


def _with_comments(view: SqlFile, comments: SqlFile | None) -> SqlFile:
    """Return *view* with the start of CREATE VIEW that has its comments, if the dialect has them there."""
    if comments is None or not _CREATE_VIEW.match(comments.text):
        return view
    # A replacement text would have its backslashes interpreted; the result of a function does not.
    return replace(view, text=_CREATE_VIEW.sub(lambda _: comments.text, view.text, count=1))


def _in_order_of_use(files: Sequence[SqlFile]) -> Iterator[SqlFile]:
    """Yield each file after the files whose tables it reads; views cannot form a cycle."""
    waiting = {file.name: file for file in files}
    reads = {
        file.name: set(map("".join, _READ.findall(_without_comments(file.text)))) - {file.name}
        for file in files
    }
    while waiting:
        # Without the alternative, a mistaken cycle would loop for ever.
        ready = [name for name in waiting if not reads[name] & waiting.keys()] or list(waiting)
        for name in ready:
            yield waiting.pop(name)
