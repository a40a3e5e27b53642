"""Renders the SQL of the store: each canonical file for each dialect, by rewriting sqlglot's tree.

    python scripts/render_sql.py

writes one file per kind into `recce_meta/_sql`, with the texts of all dialects, as the build of the package
does (`hatch_build.py`); run it after you edit `sql/`. A file of the same kind and name in
`sql/dialects/<dialect>/` is written by hand and takes the place of the rendering. Each class below is the
rendering of one dialect; no other code checks which dialect it is.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import sqlglot
import yaml
from sqlglot import exp

from recce_meta.store.sql_files import COMMENTS, DEFAULT_SCHEMA, DIALECTS, FILE, KINDS, RENDERED, SUFFIX

SQL = Path(__file__).resolve().parents[1] / "sql"
"""Folder of the canonical files, and of those that are written by hand."""

BRANCH_CHANGES, GRAPH_NODES = "store_branch_changes", "store_graph_nodes"
"""Relations whose comments come from the file of another one; they are the last of their kind."""
JSON_COLUMNS = frozenset(
    (
        "adapter_response", "args", "columns", "config", "contract", "criteria", "extraction", "failed_rows",
        "findings", "fqn", "job", "macros", "meta", "notes", "parameters", "parent_columns", "properties",
        "result", "tags", "unrendered_config", "value_kinds", "variables", "violations", "warnings",
    )
)  # fmt: skip
"""Names of the JSON columns in all tables; casting such a column to text gives its JSON text."""
NULLABLE_JSON_COLUMNS = frozenset(
    (
        "adapter_response",
        "args",
        "contract",
        "criteria",
        "extraction",
        "failed_rows",
        "job",
        "variables",
        "warnings",
    )
)
"""JSON columns that may be NULL."""


@dataclass(frozen=True)
class Description:
    """A public view and its columns, in order, with the comments on them."""

    name: str
    text: str
    columns: tuple[tuple[str, str], ...]


def descriptions(root: Path) -> list[Description]:
    """Return the public views: the first sentence of each file in `views`, and the texts of `columns.yml`.

    Raises ValueError if a column has no description, if one is unused, or if it would need escapes.
    """
    given = loaded((root / "columns.yml").read_text(encoding="utf-8"))
    unused = {(None, name) for name in given["shared"]}
    unused |= {(view, name) for view, own in given["views"].items() for name in own}
    found = []
    paths = {path.stem: path for path in sorted((root / "views").glob("*.sql"))}
    paths[BRANCH_CHANGES] = paths["node_changes"]
    paths[GRAPH_NODES] = root / "ddl" / "05_graph_nodes.sql"
    for name, path in paths.items():
        texts = []
        for column in columns_of(path.read_text(encoding="utf-8")):
            place = path.stem if column in given["views"].get(path.stem, ()) else None
            unused.discard((place, column))
            texts.append((column, (given["views"][place] if place else given["shared"])[column]))
        found.append(Description(name, first_sentence(path), tuple(texts)))
    if unused:
        raise ValueError(f"no column has these descriptions: {unused}")
    for text in (text for view in found for text in (view.text, *(of for _, of in view.columns))):
        if re.search(r"['\\]|:\w", text):
            raise ValueError(f"a comment has no quotes, backslashes or binds: {text}")
    return found


loaded = cache(yaml.safe_load)


def first_sentence(path: Path) -> str:
    """Return the first sentence of the opening comment of *path*, without quotes and without its period."""
    header = re.findall(r"^-- (.*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    sentence = re.split(r"\.(?:\s|$)", " ".join(header))[0]
    return re.sub(r"(?<=\w)'(?=\w)", "\N{RIGHT SINGLE QUOTATION MARK}", sentence).replace("'", "")


def columns_of(view: str) -> list[str]:
    """Return the names of the columns of a canonical view."""
    _, (statement,) = parsed(view)
    return list(statement.expression.named_selects)


@cache
def parsed(text: str) -> tuple[str, tuple[exp.Expr, ...]]:
    """Return the opening comment and the statements of canonical *text*; callers change copies of them."""
    header = "".join(re.findall(r"\A(?:--[^\n]*\n)*", text))
    statements = tuple(filter(None, sqlglot.parse(text[len(header) :], read="postgres")))
    for identifier in (each for statement in statements for each in statement.find_all(exp.Identifier)):
        identifier.meta.clear()  # positions in the text: a third of the time of a copy
    return header, statements


@cache
def prepared(text: str, has_schemas: bool, also_new_names: bool) -> tuple[str, tuple[exp.Expr, ...]]:
    """Return what `parsed` does, with what dialects share: binds as `:name`, and tables in the schema."""
    header, statements = parsed(text)
    copies = (with_binds(statement.copy()) for statement in statements)
    return header, tuple(
        qualified(copy, also_new_names=also_new_names) if has_schemas else copy for copy in copies
    )


def inline_comments(view: Description, on_column: str, on_view: str) -> str:
    """Return the start of CREATE VIEW with the comments: it replaces the start of the view's own file.

    These warehouses change no comment on a column of a view afterwards.
    """
    columns = ",\n".join(f"  {column}{on_column.format(text)}" for column, text in view.columns)
    start = f"CREATE OR REPLACE VIEW {DEFAULT_SCHEMA}.{view.name} (\n{columns}\n)"
    return f"{start}\n{on_view.format(view.text)}\nAS\n"


class Rendering:
    """Default rendering, for dialects that need only sqlglot's own translation."""

    by_dialect: ClassVar[dict[str, type[Rendering]]] = {}
    """Classes by dialect; a class registers itself when it is defined."""
    dialect: ClassVar[str] = ""
    """Name of the folder, and sqlglot's name of the dialect."""
    first_version: ClassVar[int] = 1
    """Version of the oldest existing stores; migrations up to this version are not rendered."""
    variant: ClassVar[str] = ""
    """Folder of `sql/dialects` whose canonical files are rendered instead of those in `sql/`."""
    reserved: ClassVar[frozenset[str]] = frozenset()
    """Names in our SQL that must be quoted."""
    renames_with_schema: ClassVar[bool] = False
    """True if RENAME TO needs the schema: a plain name would be in the session's schema."""
    orders_views: ClassVar[bool] = False
    """True if ORDER BY of a view is rendered: PostgreSQL then computes it once in a nested loop."""
    limits_views: ClassVar[bool] = False
    """True if such a view gets LIMIT -1: SQLite then computes it once in a join."""
    has_schemas: ClassVar[bool] = True
    """True if the store has a schema of its own, which its relations are named with."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.dialect:
            cls.by_dialect[cls.dialect] = cls

    def render(self, text: str) -> str:
        """Return canonical *text* in this dialect: opening comment unchanged, every table in the schema."""
        header, statements = prepared(text, self.has_schemas, self.renames_with_schema)
        copies = [statement.copy() for statement in statements]
        for view in (one for one in copies if isinstance(one, exp.Create) and one.kind == "VIEW"):
            if not self.orders_views:
                order = view.expression.args.get("order")
                view.expression.set("order", None)
                if order is not None and self.limits_views:
                    view.expression.set("limit", exp.Limit(expression=exp.Literal.number(-1)))
        return header + "".join(
            f"{self.rewritten(copy).sql(dialect=self.dialect, pretty=True, copy=False)};\n" for copy in copies
        )

    def comments(self, view: Description) -> str:
        """Return the statements that comment on a view and its columns."""
        name = f"{DEFAULT_SCHEMA}.{view.name}"
        quoted = {column: f'"{column}"' for column in self.reserved}
        on_columns = [
            f"COMMENT ON COLUMN {name}.{quoted.get(column, column)} IS '{text}';\n"
            for column, text in view.columns
        ]
        return f"COMMENT ON VIEW {name} IS '{view.text}';\n" + "".join(on_columns)

    def rewritten(self, statement: exp.Expr) -> exp.Expr:
        """Return the prepared *statement* in this dialect."""
        return statement


class Translation(Rendering):
    """Rendering of a dialect that differs more from PostgreSQL; each difference is a flag or a method.

    Stores in these dialects exist since version 3.
    """

    first_version = 3
    types: ClassVar[Mapping[str, str]] = {}
    """Replacement by type, for types that sqlglot translates differently; lengths are ignored."""
    has_keys: ClassVar[bool] = False
    """True if the dialect allows primary keys."""
    key_options: ClassVar[tuple[str, ...]] = ()
    """Options written after a primary key."""
    has_distinct_from: ClassVar[bool] = True
    """True if the dialect supports IS DISTINCT FROM."""
    adds_if_missing: ClassVar[bool] = True
    """True if the dialect has ADD COLUMN IF NOT EXISTS."""
    must_say_where: ClassVar[bool] = False
    """True if the warehouse rejects an UPDATE without WHERE."""
    sorts_nulls_as_small: ClassVar[bool] = False
    """True if NULLs come first in ascending order."""

    def rewritten(self, statement: exp.Expr) -> exp.Expr:
        """Return *statement* in this dialect; children are rewritten before their parents, types last."""
        for node in reversed(list(statement.walk())):
            self._put(node, self.rewrite(node))
        for data_type in list(statement.find_all(exp.DataType)):
            self._put(data_type, self.data_type(data_type))
        if isinstance(statement, exp.Create) and statement.kind == "TABLE":
            self.lay_out(statement, take_key(statement))
        return statement

    @staticmethod
    def _put(node: exp.Expr, replacement: exp.Expr) -> None:
        if replacement is not node:
            node.replace(replacement)

    def rewrite(self, node: exp.Expr) -> exp.Expr:
        """Return the replacement of *node*; its children are already rewritten."""
        if isinstance(node, exp.Identifier):
            if node.name in self.reserved:
                node.set("quoted", True)
            return node
        if isinstance(node, exp.In):
            lines = lines_of(node)
            return node if lines is None else self.in_lines(node.this.copy(), lines.copy())
        if isinstance(node, exp.Cast) and is_json_column(node.this):
            return node.this.copy() if node.is_type("json", "jsonb") else self.json_text(node.this.copy())
        if isinstance(node, exp.JSONExtractScalar):
            if isinstance(node.parent, exp.Is):  # IS [NOT] NULL tests presence, also of an object
                return self.json_member(node.this.copy(), key_of(node))
            return self.json_member_text(node.this.copy(), key_of(node))
        if isinstance(node, exp.JSONExtract):
            return self.json_member(node.this.copy(), key_of(node))
        if isinstance(node, (exp.NullSafeEQ, exp.NullSafeNEQ)) and not self.has_distinct_from:
            return null_safe(node)
        if isinstance(node, exp.Extract):  # EPOCH of a difference
            later, earlier = node.expression.this, node.expression.expression
            return self.seconds(later.copy(), earlier.copy())
        if isinstance(node, exp.StartsWith):
            return self.starts_with(node)
        if isinstance(node, exp.GroupConcat):
            return self.joined(node)
        if isinstance(node, exp.ColumnDef) and not self.adds_if_missing:
            node.set("exists", None)
        if isinstance(node, exp.CTE):
            node.set("materialized", None)  # only PostgreSQL and DuckDB support this keyword
        if isinstance(node, exp.Union) and is_recursive(node):
            self.recursive(node)
        if isinstance(node, exp.Limit):
            node.set("expression", self.limit(node.expression))
        if isinstance(node, exp.Update) and self.must_say_where and node.args.get("where") is None:
            node.set("where", exp.Where(this=exp.true()))
        if isinstance(node, exp.Ordered) and self.sorts_nulls_as_small and node.find_ancestor(exp.Window):
            node.set(
                "nulls_first", not node.args.get("desc")
            )  # the warehouse's default, because windows never sort by NULL
        return node

    def recursive(self, union: exp.Union) -> None:
        """Change the body of a recursive query to UNION ALL: these dialects do not support UNION there.

        Integer literals in its first SELECT become BIGINT, because the first value determines the type.
        """
        union.set("distinct", False)
        for column in union.left.selects:
            if isinstance(column, exp.Alias) and column.this.is_int:
                column.set("this", exp.cast(column.this.copy(), "bigint"))

    def data_type(self, data_type: exp.DataType) -> exp.DataType:
        """Return the replacement of a canonical type."""
        found = self.types.get(data_type.this.value)
        return data_type if found is None else exp.DataType.build(found, dialect=self.dialect)

    def in_lines(self, value: exp.Expr, lines: exp.Expr) -> exp.Expr:
        """Return the condition that *value* is one of the lines of the text *lines*."""
        raise NotImplementedError

    def json_text(self, value: exp.Expr) -> exp.Expr:
        """Return the JSON column *value* as text."""
        raise NotImplementedError

    def json_member(self, value: exp.Expr, key: str) -> exp.Expr:
        """Return the member *key* of a JSON object, as JSON."""
        raise NotImplementedError

    def json_member_text(self, value: exp.Expr, key: str) -> exp.Expr:
        """Return the member *key* of a JSON object as text: a string without quotes, NULL for null."""
        return exp.cast(self.json_member(value, key), "text")

    def seconds(self, later: exp.Expr, earlier: exp.Expr) -> exp.Expr:
        """Return the seconds between two times."""
        milliseconds = call("DATEDIFF", exp.var("MILLISECOND"), earlier, later)
        return exp.Div(this=milliseconds, expression=exp.Literal.number("1000.0"), typed=True)

    def starts_with(self, node: exp.StartsWith) -> exp.Expr:
        """Return the condition that one text starts with another."""
        return node

    def joined(self, node: exp.GroupConcat) -> exp.Expr:
        """Return the ordered string aggregation of a group."""
        return node

    def limit(self, most: exp.Expr) -> exp.Expr:
        """Return the expression of LIMIT, which is a cast if a parameter sets the limit, without the cast."""
        return most.this if isinstance(most, exp.Cast) else most

    def lay_out(self, table: exp.Create, key: list[str]) -> None:
        """Add the primary *key* to a new *table* if the dialect allows primary keys."""
        if key and self.has_keys:
            columns = [exp.to_identifier(name) for name in key]
            table.this.append(
                "expressions", exp.PrimaryKey(expressions=columns, options=list(self.key_options))
            )


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """Return a function call that sqlglot does not translate."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def is_json_column(node: exp.Expr) -> bool:
    """Return True if *node* is a JSON column."""
    return isinstance(node, exp.Column) and node.name in JSON_COLUMNS


def is_recursive(union: exp.Expr) -> bool:
    """Return True if *union* is the body of a recursive query."""
    cte = union.parent
    return (
        isinstance(cte, exp.CTE)
        and isinstance(union, exp.Union)
        and any(table.name == cte.alias for table in union.find_all(exp.Table))
    )


def key_of(node: exp.JSONExtract | exp.JSONExtractScalar) -> str:
    """Return the single key of `->` or `->>`."""
    members = list(node.expression.find_all(exp.JSONPathKey))
    if len(members) != 1:
        raise ValueError(f"JSON path must be one literal key: {node.sql()}")
    return str(members[0].this)


def lines_of(node: exp.In) -> exp.Expr | None:
    """Return the text whose lines *node* searches for its value; None if it searches elsewhere."""
    query = node.args.get("query")
    split = query.find(exp.StringToArray) if isinstance(query, exp.Expr) else None
    return None if split is None else split.this


def null_safe(node: exp.NullSafeEQ | exp.NullSafeNEQ) -> exp.Expr:
    """Return IS [NOT] DISTINCT FROM in SQL that every warehouse supports."""
    left, right = node.this, node.expression
    is_equal = isinstance(node, exp.NullSafeEQ)
    equal = exp.or_(
        exp.EQ(this=left.copy(), expression=right.copy()),
        exp.and_(left.copy().is_(exp.null()), right.copy().is_(exp.null())),
    )
    return exp.Case(
        ifs=[exp.If(this=equal, true=exp.Boolean(this=is_equal))], default=exp.Boolean(this=not is_equal)
    )


def take_key(table: exp.Create) -> list[str]:
    """Remove the primary key from *table* and return its columns."""
    names: list[str] = []
    for column in table.find_all(exp.ColumnDef):
        for constraint in column.constraints:
            if isinstance(constraint.kind, exp.PrimaryKeyColumnConstraint):
                names.append(column.name)
                constraint.pop()
    for key in list(table.find_all(exp.PrimaryKey)):
        names.extend(column.name for column in key.expressions)
        key.pop()
    return names


def qualified(statement: exp.Expr, *, also_new_names: bool = False) -> exp.Expr:
    """Add the schema to every table of *statement* that is not a CTE.

    The new name of a renamed table has no schema unless *also_new_names* is set.
    """
    for table in list(statement.find_all(exp.Table)):
        is_named = isinstance(table.this, exp.Identifier) and not table.args.get("db")
        is_new_name = isinstance(table.parent, exp.AlterRename) and not also_new_names
        if is_named and not is_new_name and not _is_cte(table):
            table.set("db", exp.to_identifier(DEFAULT_SCHEMA))
    return statement


def _is_cte(table: exp.Table) -> bool:
    """Return True if an enclosing WITH defines *table*'s name, earlier or recursively."""
    node: exp.Expr = table
    while (parent := node.parent) is not None:
        if isinstance(parent, exp.With):
            names = [cte.alias for cte in parent.expressions]
            place = next(index for index, cte in enumerate(parent.expressions) if cte is node)
            visible = names[: place + 1] if parent.args.get("recursive") else names[:place]
        else:
            clause = next((value for value in parent.args.values() if isinstance(value, exp.With)), None)
            visible = [cte.alias for cte in clause.expressions] if clause and clause is not node else []
        if table.name in visible:
            return True
        node = parent
    return False


def with_binds(statement: exp.Expr) -> exp.Expr:
    """Return *statement* with its binds as `:name` instead of the dialect's syntax."""
    for bind in list(statement.find_all(exp.Placeholder)):
        bind.replace(exp.Var(this=f":{bind.name}"))
    return statement


def rendering_of(dialect: str) -> Rendering:
    """Return the rendering of *dialect*."""
    return Rendering.by_dialect[dialect]()


def render(text: str, dialect: str) -> str:
    """Return canonical *text* for *dialect*: opening comment unchanged, every table in the schema."""
    return rendering_of(dialect).render(text)


def files_of(root: Path, dialect: str) -> Iterator[tuple[str, str, str]]:
    """Yield the kind, the name and the text of each file of *dialect*; old migrations are never needed."""
    rendering = rendering_of(dialect)
    names = {path.relative_to(root) for kind in KINDS for path in (root / kind).glob("*.sql")}
    own = {path.relative_to(root / "dialects" / dialect) for path in _by_hand(root, dialect)}
    for path in sorted(names | own):
        kind, name = path.parent.name, path.stem
        if path in own:
            yield kind, name, (root / "dialects" / dialect / path).read_text(encoding="utf-8")
        elif kind != "migrations" or int(name.split("_")[0]) > rendering.first_version:
            variant = root / "dialects" / rendering.variant / path
            source = variant if rendering.variant and variant.exists() else root / path
            yield kind, name, rendering.render(source.read_text(encoding="utf-8"))
    yield from of_branches(root, dialect)
    for view in descriptions(root) if (root / "columns.yml").exists() else ():
        if text := rendering.comments(view):
            yield COMMENTS, view.name, text


def of_branches(root: Path, dialect: str) -> Iterator[tuple[str, str, str]]:
    """Yield the view of the changes of branches: `node_changes` over the steps from base to a branch."""
    path = Path("views", "node_changes.sql")
    own = root / "dialects" / dialect / path
    if (source := own if own.exists() else root / path).exists():
        text = source.read_text(encoding="utf-8")
        text = text if own.exists() else render(text, dialect)
        header = (
            "-- One row per node that differs between base and a branch. Read `branch_changes` instead.\n"
        )
        text = re.sub(r"\A(?:--[^\n]*\n)+", header, text)
        text = re.sub(r"\bnode_changes\b", BRANCH_CHANGES, text)
        yield "views", BRANCH_CHANGES, re.sub(r"\brun_steps\b", "store_branch_steps", text)


def scripts(root: Path) -> dict[str, str]:
    """Return the text of each file by kind: dialects that share a text have it once, so have the next ones.

    A name's texts are neighbours, because gzip finds what is equal within 32 KB.
    """
    found: dict[str, dict[str, dict[str, list[str]]]] = {kind: {} for kind in (*KINDS, COMMENTS)}
    for dialect in sorted(Rendering.by_dialect):
        for kind, name, text in files_of(root, dialect):
            found[kind].setdefault(name, {}).setdefault(text, []).append(dialect)
    first = opening(root)
    return {
        kind: first
        + "".join(
            f"{FILE}{kind}/{name} {' '.join(dialects)}\n{text}"
            for name in sorted(names, key=lambda name: (name in (BRANCH_CHANGES, GRAPH_NODES), name))
            for text, dialects in names[name].items()
        )
        for kind, names in found.items()
    }


def opening(root: Path) -> str:
    """Return the first line of each file: it changes with the files below *root* and with this renderer."""
    digest = hashlib.sha256()
    for path in (Path(__file__), root / "columns.yml", *sorted(root.rglob("*.sql"))):
        digest.update(f"{path.name}\n{path.read_text(encoding='utf-8')}".encode())
    return f"{DIALECTS}{' '.join(sorted(Rendering.by_dialect))}; sources {digest.hexdigest()}\n"


def _by_hand(root: Path, dialect: str) -> Iterator[Path]:
    return (root / "dialects" / dialect).glob("*/*.sql")


def write(root: Path = SQL, folder: Path = RENDERED) -> bool:
    """Write the file of each kind into *folder*, without others, and return True if one was stale."""
    first = opening(root).encode()
    folder.mkdir(exist_ok=True)
    paths = {kind: folder / f"{kind}{SUFFIX}" for kind in (*KINDS, COMMENTS)}
    if all(path.exists() and gzip.decompress(path.read_bytes()).startswith(first) for path in paths.values()):
        for path in paths.values():
            path.touch()  # later than the sources, which git may have replaced and taken back
        return False
    for kind, text in scripts(root).items():
        # Another process may read or render at the same time.
        partial = paths[kind].with_suffix(f".{os.getpid()}")
        # Without a time: the same bytes each time.
        partial.write_bytes(gzip.compress(text.encode(), mtime=0))
        partial.replace(paths[kind])
    for path in {*folder.glob(f"*{SUFFIX}")} - {*paths.values()}:
        path.unlink(missing_ok=True)  # of an earlier version: the wheel would hold it
    return True


class DuckdbRendering(Rendering):
    """PostgreSQL with DuckDB's types, and fewer primary keys.

    The index of a key takes a quarter of the file and slows loading. Recorders write one at a time and skip
    stored rows, so only tables that other commands write, too, have a key.
    """

    dialect = "duckdb"
    keyed = frozenset(
        (
            "annotation_events", "check_results", "code_changes", "code_steps", "kept_diffs", "quality_runs",
            "reviews", "run_hashes", "runs", "sync_conflict_pieces", "sync_conflicts", "syncs", "tombstones",
        )
    )  # fmt: skip
    """Tables with a primary key, without `store_`."""

    def rewritten(self, statement: exp.Expr) -> exp.Expr:
        if isinstance(statement, exp.Create) and statement.kind == "TABLE":
            table = statement.find(exp.Table)
            if table is not None and table.name.removeprefix("store_") not in self.keyed:
                take_key(statement)
        return super().rewritten(statement)


class PostgresRendering(Rendering):
    """Canonical SQL without translation. Views have JSONB, which DISTINCT, GROUP BY and UNION can compare.

    Tables keep JSON: JSONB would change the text, which the ids of contents are hashes of.
    """

    dialect = "postgres"
    orders_views = True

    def rewritten(self, statement: exp.Expr) -> exp.Expr:
        if isinstance(statement, exp.Create) and statement.kind == "VIEW":
            for column in (one for query in branches(statement.expression) for one in query.selects):
                if column.alias_or_name in JSON_COLUMNS:
                    value = exp.cast(column.unalias().copy(), "jsonb")
                    column.replace(exp.alias_(value, column.alias_or_name))
        return statement


def branches(query: exp.Expr) -> Iterator[exp.Query]:
    """Yield the queries that a UNION combines, or *query* itself."""
    if isinstance(query, exp.Union):
        yield from branches(query.left)
        yield from branches(query.right)
    elif isinstance(query, exp.Query):
        yield query.unnest() if isinstance(query, exp.Subquery) else query


class RedshiftRendering(Translation):
    """No keys are declared, because the planner would rely on them although they are not enforced."""

    dialect = "redshift"
    variant = "union_all"
    adds_if_missing = False
    has_distinct_from = False
    # https://docs.aws.amazon.com/redshift/latest/dg/c_Reserved_words.html
    reserved = frozenset(("language",))
    # https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html: TEXT is VARCHAR(256)
    types = MappingProxyType({"TEXT": "VARCHAR(65535)", "JSON": "SUPER", "JSONB": "SUPER"})

    def rewrite(self, node: exp.Expr) -> exp.Expr:
        """Select JSON without JSON_SERIALIZE, which returns at most 65,535 bytes and never NULL."""
        if isinstance(node, exp.Cast) and is_json_column(node.this) and isinstance(node.parent, exp.Alias):
            column: exp.Expr = node.this.copy()
            return column
        if isinstance(node, exp.CTE) and is_recursive(node.this):
            # https://docs.aws.amazon.com/redshift/latest/dg/r_WITH_clause.html: its columns must be named
            names = [exp.to_identifier(name) for name in node.this.named_selects]
            node.args["alias"].set("columns", names)
        return super().rewrite(node)

    def in_lines(self, value: exp.Expr, lines: exp.Expr) -> exp.Expr:
        split = exp.alias_(call("SPLIT_TO_ARRAY", lines, call("CHR", exp.Literal.number(10))), "lines")
        query = (
            exp.select("CAST(line AS TEXT)")
            .from_(exp.select(split).subquery("split"))
            .join(exp.to_table("split.lines", alias="line"))
        )
        return exp.In(this=value, query=query.subquery())

    def json_text(self, value: exp.Expr) -> exp.Expr:
        text = call("JSON_SERIALIZE", value)
        # NULL becomes the text 'null'
        return (
            call("NULLIF", text, exp.Literal.string("null")) if value.name in NULLABLE_JSON_COLUMNS else text
        )

    def json_member(self, value: exp.Expr, key: str) -> exp.Expr:
        return exp.Dot(this=value, expression=exp.to_identifier(key))

    def starts_with(self, node: exp.StartsWith) -> exp.Expr:
        start = node.expression
        return exp.EQ(this=call("LEFT", node.this, call("LENGTH", start.copy())), expression=start)

    def joined(self, node: exp.GroupConcat) -> exp.Expr:
        return listagg(node)


def listagg(node: exp.GroupConcat) -> exp.Expr:
    """Return LISTAGG … WITHIN GROUP, because sqlglot orders its parts differently in this dialect."""
    order = node.this
    if not isinstance(order, exp.Order):
        return node
    value = order.this
    order.set("this", None)
    return exp.WithinGroup(this=call("LISTAGG", value, node.args["separator"]), expression=order)


class SnowflakeRendering(Translation):
    """JSON is VARIANT; keys are declared but not enforced, and the planner does not rely on them."""

    dialect = "snowflake"
    variant = "union_all"
    has_keys = True
    renames_with_schema = True
    types = MappingProxyType({"JSON": "VARIANT", "JSONB": "VARIANT"})

    def comments(self, view: Description) -> str:
        # Without COPY GRANTS, a view that `init` replaces would lose those of its readers.
        return inline_comments(view, " COMMENT '{}'", "COPY GRANTS\nCOMMENT = '{}'")

    def in_lines(self, value: exp.Expr, lines: exp.Expr) -> exp.Expr:
        split = call("SPLIT", lines, call("CHR", exp.Literal.number(10)))
        argument = exp.Kwarg(this=exp.var("INPUT"), expression=split)
        lines_table = exp.Table(
            this=call("TABLE", call("FLATTEN", argument)),
            alias=exp.TableAlias(this=exp.to_identifier("line")),
        )
        return exp.In(this=value, query=exp.select("CAST(line.value AS TEXT)").from_(lines_table).subquery())

    def json_text(self, value: exp.Expr) -> exp.Expr:
        return call("TO_JSON", value)

    def json_member(self, value: exp.Expr, key: str) -> exp.Expr:
        return call("GET_PATH", value, exp.Literal.string(key))

    def recursive(self, union: exp.Union) -> None:
        """Name the columns: https://docs.snowflake.com/en/sql-reference/constructs/with requires it."""
        super().recursive(union)
        if isinstance(cte := union.parent, exp.CTE):
            names = [exp.to_identifier(name) for name in union.left.named_selects]
            cte.args["alias"].set("columns", names)


class BigqueryRendering(Translation):
    """Keys are declared but not enforced; tables are clustered by their first key column."""

    dialect = "bigquery"
    variant = "union_all"
    has_keys = True
    key_options = ("NOT ENFORCED",)
    must_say_where = True
    sorts_nulls_as_small = True
    types = MappingProxyType({"VARCHAR": "STRING", "JSONB": "JSON"})

    def comments(self, view: Description) -> str:
        return inline_comments(view, " OPTIONS (description = '{}')", "OPTIONS (description = '{}')")

    def in_lines(self, value: exp.Expr, lines: exp.Expr) -> exp.Expr:
        split = call("SPLIT", lines, call("CHR", exp.Literal.number(10)))
        return exp.In(this=value, unnest=exp.Unnest(expressions=[split]))

    def json_text(self, value: exp.Expr) -> exp.Expr:
        text = call("TO_JSON_STRING", value)
        # NULL becomes the text 'null'
        return (
            call("NULLIF", text, exp.Literal.string("null")) if value.name in NULLABLE_JSON_COLUMNS else text
        )

    def json_member(self, value: exp.Expr, key: str) -> exp.Expr:
        return call("JSON_QUERY", value, exp.Literal.string(f"$.{key}"))

    def json_member_text(self, value: exp.Expr, key: str) -> exp.Expr:
        return call("JSON_VALUE", value, exp.Literal.string(f"$.{key}"))

    def seconds(self, later: exp.Expr, earlier: exp.Expr) -> exp.Expr:
        milliseconds = call("TIMESTAMP_DIFF", later, earlier, exp.var("MILLISECOND"))
        return exp.Div(this=milliseconds, expression=exp.Literal.number("1000.0"), typed=True)

    def rewrite(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Interval):  # takes an integer, not a string
            node.set("this", exp.Literal.number(node.this.name))
        return super().rewrite(node)

    def joined(self, node: exp.GroupConcat) -> exp.Expr:
        for ordered in node.find_all(exp.Ordered):
            ordered.set("nulls_first", True)  # STRING_AGG does not support NULLS LAST and ignores NULLs
        return node

    def lay_out(self, table: exp.Create, key: list[str]) -> None:
        super().lay_out(table, key)
        if key:
            cluster = exp.Cluster(expressions=[exp.column(key[0])])
            table.set("properties", exp.Properties(expressions=[cluster]))


TABLE_PROPERTIES = {"delta.enableDeletionVectors": "false", "delta.isolationLevel": "Serializable"}
"""If two writers change a table concurrently, one of them fails and retries."""


class DatabricksRendering(Translation):
    """JSON is stored as text because VARIANT is not always available; no keys are declared.

    Tables are clustered by their first key column. Keys are not enforced, so two writers of the same row
    must not both succeed. Row-level concurrency would let two MERGEs insert the same row; it is switched
    off together with deletion vectors.
    https://docs.databricks.com/aws/en/optimizations/isolation/row-level-concurrency
    """

    dialect = "databricks"
    renames_with_schema = True
    sorts_nulls_as_small = True
    types = MappingProxyType({"VARCHAR": "STRING", "JSON": "STRING", "JSONB": "STRING"})

    def comments(self, view: Description) -> str:
        return inline_comments(view, " COMMENT '{}'", "COMMENT '{}'")

    def in_lines(self, value: exp.Expr, lines: exp.Expr) -> exp.Expr:
        split = call("SPLIT", lines, call("CHR", exp.Literal.number(10)))
        return exp.In(this=value, query=exp.select(call("EXPLODE", split)).subquery())

    def json_text(self, value: exp.Expr) -> exp.Expr:
        return value

    def json_member(self, value: exp.Expr, key: str) -> exp.Expr:
        return self.json_member_text(value, key)

    def json_member_text(self, value: exp.Expr, key: str) -> exp.Expr:
        return call("GET_JSON_OBJECT", value, exp.Literal.string(f"$.{key}"))

    def limit(self, most: exp.Expr) -> exp.Expr:
        if not isinstance(most, exp.Cast):
            return most
        # An INTEGER: https://docs.databricks.com/aws/en/sql/language-manual/sql-ref-syntax-qry-select-limit
        return exp.cast(call("LEAST", most.this, exp.Literal.number(2**31 - 1)), "int")

    def lay_out(self, table: exp.Create, key: list[str]) -> None:
        super().lay_out(table, key)
        properties: list[exp.Expr] = [
            exp.Property(this=exp.Literal.string(name), value=exp.Literal.string(value))
            for name, value in TABLE_PROPERTIES.items()
        ]
        if key:
            properties.insert(0, exp.Cluster(expressions=[exp.Tuple(expressions=[exp.column(key[0])])]))
        table.set("properties", exp.Properties(expressions=properties))


STORED_MOMENT = "%Y-%m-%d %H:%M:%f000+00:00"
"""Format of `strftime` for the only spelling of times in the store, in which they sort and compare.

It begins like the texts of `datetime('now')`, so that users can compare the two.
"""


def is_listed(exists: exp.Exists) -> exp.Expr:
    """Return EXISTS as IN: SQLite would search the whole table again for each row, which has no index.

    The inner table must be alone, and its condition `inner.column = value`.
    """
    inner = exists.this
    condition = inner.args["where"].this
    if not isinstance(condition, exp.EQ) or inner.args.get("joins"):
        raise ValueError(f"only one equality of one table can become IN: {exists.sql()}")
    column, value = condition.this.copy(), condition.expression.copy()
    known = exp.select(column).from_(inner.find(exp.From).this.copy()).where(exp.not_(column.is_(exp.null())))
    # As in EXISTS, NULL is not listed.
    return call("COALESCE", exp.In(this=value, query=known.subquery()), exp.false())


def selected(values: exp.Values) -> exp.Expr:
    """Return VALUES with named columns as SELECTs: SQLite cannot name the columns of an alias."""
    alias = values.args["alias"]
    names = [column.name for column in alias.args["columns"]]
    pairs = [zip(names, row.expressions, strict=True) for row in values.expressions]
    rows = [exp.select(*(exp.alias_(value.copy(), name) for name, value in row)) for row in pairs]
    query = rows[0] if len(rows) == 1 else exp.union(*rows, distinct=False)
    return query.subquery(alias.name)


class SqliteRendering(Translation):
    """Times, JSON and truth values are texts and numbers; the types of columns only name them.

    SQLite 3.39 has no ordered aggregates and no LATERAL: files that need them are written by hand.
    """

    dialect = "sqlite"
    adds_if_missing = False
    first_version = 12
    has_keys = True
    has_schemas = False
    limits_views = True
    sorts_nulls_as_small = True
    # https://www.sqlite.org/datatype3.html#determination_of_column_affinity: JSON would turn '1' into 1
    types = MappingProxyType({"VARCHAR": "TEXT", "JSON": "TEXT", "JSONB": "TEXT", "DOUBLE": "REAL"})

    def render(self, text: str) -> str:
        """Replace views by dropping them: SQLite has no CREATE OR REPLACE VIEW, but DDL is transactional."""
        replaced = re.compile(r"^CREATE OR REPLACE VIEW (\w+)", re.MULTILINE)
        return replaced.sub(r"DROP VIEW IF EXISTS \1;\nCREATE VIEW \1", super().render(text))

    def comments(self, view: Description) -> str:
        """Return no statement: SQLite has no comments."""
        return ""

    def rewrite(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.CurrentTimestamp):
            return call("STRFTIME", exp.Literal.string(STORED_MOMENT), exp.Literal.string("now"))
        if isinstance(node, exp.Cast) and node.is_type("timestamptz") and isinstance(node.this, exp.Column):
            return call("STRFTIME", exp.Literal.string(STORED_MOMENT), node.this.copy())
        if isinstance(node, exp.Sub) and isinstance(node.expression, exp.Interval):
            ago = f"-{node.expression.name} {node.expression.args['unit'].name.lower()}"
            return call("STRFTIME", *node.this.expressions, exp.Literal.string(ago))
        if isinstance(node, exp.Exists) and node.find_ancestor(exp.Delete):
            return is_listed(node)
        if isinstance(node, exp.Values) and node.args.get("alias") is not None:
            return selected(node)
        if isinstance(node, exp.StrPosition):
            return call("INSTR", node.this, node.args["substr"])
        if isinstance(node, exp.JSONExtractScalar):
            return self.json_member_text(node.this.copy(), key_of(node))
        return super().rewrite(node)

    def seconds(self, later: exp.Expr, earlier: exp.Expr) -> exp.Expr:
        days = exp.paren(exp.Sub(this=call("JULIANDAY", later), expression=call("JULIANDAY", earlier)))
        seconds = exp.Mul(this=days, expression=exp.Literal.number(86400))
        return call("ROUND", seconds, exp.Literal.number(3))

    def data_type(self, data_type: exp.DataType) -> exp.DataType:
        """Keep the names of types without a storage class: tools show them, and texts stay texts in them."""
        named = {"TIMESTAMPTZ": "TEXT", "BOOLEAN": "INTEGER"}.get(data_type.this.value)
        if named is not None and isinstance(data_type.parent, exp.ColumnDef):
            return exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=data_type.this.value)
        if named is not None:
            return exp.DataType.build(named)
        return super().data_type(data_type)

    def in_lines(self, value: exp.Expr, lines: exp.Expr) -> exp.Expr:
        """Split by JSON: in the quoted text, lines are separated by an escape that no text contains."""
        text: exp.Expr = call("JSON_QUOTE", lines)
        for old, new in ((r"\\", r"\u005c"), (r"\n", '","')):
            text = call("REPLACE", text, exp.Literal.string(old), exp.Literal.string(new))
        array = exp.DPipe(this=exp.Literal.string("["), expression=text, safe=True)
        array = exp.DPipe(this=array, expression=exp.Literal.string("]"), safe=True)
        line = exp.Table(this=call("JSON_EACH", array), alias=exp.TableAlias(this=exp.to_identifier("line")))
        return exp.In(this=value, query=exp.select("line.value").from_(line).subquery())

    def json_text(self, value: exp.Expr) -> exp.Expr:
        return value

    def json_member(self, value: exp.Expr, key: str) -> exp.Expr:
        return exp.JSONExtract(this=value, expression=exp.Literal.string(f"$.{key}"))

    def json_member_text(self, value: exp.Expr, key: str) -> exp.Expr:
        return exp.JSONExtractScalar(this=value, expression=exp.Literal.string(f"$.{key}"))

    def starts_with(self, node: exp.StartsWith) -> exp.Expr:
        start = node.expression
        length = call("LENGTH", start.copy())
        return exp.EQ(this=call("SUBSTR", node.this, exp.Literal.number(1), length), expression=start)

    def joined(self, node: exp.GroupConcat) -> exp.Expr:
        raise ValueError(f"SQLite has no ordered aggregates before 3.44: {node.sql()}")


def main() -> None:
    """Render what is stale, and say so."""
    sys.stdout.write(f"{'Rendered' if write() else 'Nothing to render:'} {RENDERED}\n")


if __name__ == "__main__":
    main()
