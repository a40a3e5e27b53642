"""What each database says of itself in other ways than a scan asks.

SHOW, PRAGMA, the views of the SQL standard, and SQLAlchemy's inspector.
"""

from __future__ import annotations

import json
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from recce_meta.models import NodeMetadata
from tests.contract.extractors.samples.places import Place

NO_ACTION = {"NO ACTION": "no action", "RESTRICT": "restrict"}


class Told(Struct, kw_only=True):
    """What is told of a database; None of what is not told."""

    tables: set[str] | None = None
    views: set[str] | None = None
    columns: dict[str, list[str]] | None = None
    types: dict[str, list[str]] | None = None
    not_null: set[tuple[str, str]] | None = None
    """Tables' alone."""
    defaults: set[tuple[str, str]] | None = None
    generated: set[tuple[str, str]] | None = None
    numbered: set[tuple[str, str]] | None = None
    primary_keys: dict[str, tuple[str, ...]] | None = None
    uniques: set[tuple[str, tuple[str, ...]]] | None = None
    foreign_keys: set[tuple[str, tuple[str, ...], str, tuple[str, ...]]] | None = None
    actions: set[tuple[str, tuple[str, ...], str, str]] | None = None
    """Of foreign keys: on update, on delete."""
    checks: dict[str, int] | None = None
    indexes: set[tuple[str, str, bool]] | None = None
    comments: dict[str, str] | None = None
    partitions: set[str] | None = None


def scanned(nodes: Iterable[NodeMetadata], schema: str) -> Told:
    """What a scan tells of *schema*."""
    found = [node for node in nodes if node.schema_name == schema and node.identifier]
    tables = [node for node in found if node.resource_type == "table"]
    constraints = [(node.name, one) for node in found for one in _listed(node, "constraints")]
    columns = [(node.name, column) for node in tables for column in node.columns]
    keys = [(name, one) for name, one in constraints if one["type"] == "foreign_key"]
    return Told(
        tables={node.name for node in tables},
        views={node.name for node in found} - {node.name for node in tables},
        columns={node.name: [column.name for column in node.columns] for node in found},
        types={node.name: [str(column.type) for column in node.columns] for node in found},
        not_null={(name, column.name) for name, column in columns if column.not_null},
        defaults={(name, column.name) for name, column in columns if column.default is not None},
        generated={(name, column.name) for name, column in columns if column.generated},
        numbered={(name, column.name) for name, column in columns if column.identity},
        primary_keys={n: tuple(one["columns"]) for n, one in constraints if one["type"] == "primary_key"},
        uniques={(name, tuple(one["columns"])) for name, one in constraints if one["type"] == "unique"},
        foreign_keys={
            (name, tuple(one["columns"]), _last(one["references"]), tuple(one["references"]["columns"]))
            for name, one in keys
        },
        actions={(name, tuple(one["columns"]), one["on_update"], one["on_delete"]) for name, one in keys},
        checks=_counted(name for name, one in constraints if one["type"] == "check"),
        indexes={
            (node.name, one["name"], one["unique"]) for node in found for one in _listed(node, "indexes")
        },
        comments={node.name: node.description for node in tables if node.description}
        | {f"{name}.{column.name}": column.description for name, column in columns if column.description},
        partitions={one["name"] for node in tables for one in _listed(node, "partitions")}
        | {node.name for node in tables if node.properties.get("partition_of")},
    )


def _listed(node: NodeMetadata, name: str) -> list[Any]:
    found: Any = node.properties.get(name, [])
    return list(found)


def _last(references: Any) -> str:
    name = re.sub(r"^relation\.(\w+)\.", "", references["relation"])
    return str(json.loads(name)) if name.startswith('"') else name


def _counted(names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for name in names:
        found[name] += 1
    return dict(found)


def duckdb(place: Place) -> Told:
    """The standard's views, and PRAGMA table_info."""
    relations = place.rows(
        "SELECT table_name, table_type FROM information_schema.tables"
        f" WHERE table_catalog = current_database() AND table_schema = '{place.schema}'"
    )
    infos = {str(name): place.rows(f"PRAGMA table_info({_text(name)})") for name, _ in relations}
    tables = {str(name) for name, kind in relations if kind == "BASE TABLE"}
    keys = place.rows(
        "SELECT k.table_name, c.constraint_type, k.constraint_name,"
        " list(k.column_name ORDER BY k.ordinal_position)"
        " FROM information_schema.key_column_usage k JOIN information_schema.table_constraints c"
        " USING (constraint_schema, constraint_name, table_name)"
        f" WHERE k.table_schema = '{place.schema}' GROUP BY ALL"
    )
    texts = place.rows("SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index')")
    written = {str(name): str(sql) for name, sql in texts}
    return Told(
        tables=tables,
        views={str(name) for name, kind in relations if kind == "VIEW"},
        columns={name: [str(row[1]) for row in rows] for name, rows in infos.items()},
        types={name: [str(row[2]) for row in rows] for name, rows in infos.items()},
        not_null={(name, str(row[1])) for name in tables for row in infos[name] if row[3]},
        defaults={
            (name, str(row[1]))
            for name in tables
            for row in infos[name]
            if row[4] is not None and row[1] != "full_name"
        },
        generated={("actor", "full_name")},
        primary_keys={
            name: tuple(map(str, columns)) for name, kind, _, columns in keys if kind == "PRIMARY KEY"
        },
        uniques={(str(n), tuple(map(str, c))) for n, kind, _, c in keys if kind == "UNIQUE"},
        checks=_counted(name for name in tables for _ in re.findall(r"\bCHECK\(", written[name])),
        indexes={
            (match[3], match[2], bool(match[1]))
            for text in written.values()
            if (match := re.match(r"CREATE (UNIQUE )?INDEX (\w+) ON (\w+)", text))
        },
        comments={"film": "What can be rented; it's one row a title", "film.rental_rate": "per day"},
    )


def sqlite(place: Place) -> Told:
    """PRAGMA, table by table."""
    relations = place.rows("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')")
    named = {str(name): kind for name, kind in relations if not str(name).startswith("sqlite_")}
    tables = {name for name, kind in named.items() if kind == "table"}
    infos = {name: place.rows(f"PRAGMA table_xinfo({_text(name)})") for name in named}
    keys = {name: place.rows(f"PRAGMA foreign_key_list({_text(name)})") for name in tables}
    indexes = {name: place.rows(f"PRAGMA index_list({_text(name)})") for name in tables}
    return Told(
        tables=tables,
        views=named.keys() - tables,
        columns={name: [str(row[1]) for row in rows] for name, rows in infos.items()},
        types={name: [str(row[2]) for row in rows] for name, rows in infos.items()},
        not_null={(name, str(row[1])) for name in tables for row in infos[name] if row[3]},
        defaults={(name, str(row[1])) for name in tables for row in infos[name] if row[4] is not None},
        generated={(name, str(row[1])) for name in tables for row in infos[name] if row[6] in (2, 3)},
        actions={
            (name, (str(row[3]),), str(row[5]).lower(), str(row[6]).lower())
            for name in tables
            for row in keys[name]
        },
        indexes={
            (name, str(row[1]), bool(row[2])) for name in tables for row in indexes[name] if row[3] == "c"
        },
    )


def mysql(place: Place) -> Told:
    """SHOW, table by table."""
    relations = place.rows("SHOW FULL TABLES")
    tables = {str(name) for name, kind in relations if kind == "BASE TABLE"}
    shown = {str(name): place.rows(f"SHOW FULL COLUMNS FROM `{name}`") for name, _ in relations}
    indexes = [row for name in tables for row in place.rows(f"SHOW INDEX FROM `{name}`")]
    texts = {name: str(place.rows(f"SHOW CREATE TABLE `{name}`")[0][1]) for name in tables}
    return Told(
        tables=tables,
        views={str(name) for name, kind in relations if kind == "VIEW"},
        columns={name: [str(row[0]) for row in rows] for name, rows in shown.items()},
        types={name: [str(row[1]) for row in rows] for name, rows in shown.items()},
        not_null={(name, str(row[0])) for name in tables for row in shown[name] if row[3] == "NO"},
        defaults={(name, str(row[0])) for name in tables for row in shown[name] if row[5] is not None},
        generated={
            (name, str(row[0])) for name in tables for row in shown[name] if "GENERATED" in str(row[6])
        },
        numbered={
            (name, str(row[0])) for name in tables for row in shown[name] if row[6] == "auto_increment"
        },
        checks=_counted(name for name, text in texts.items() for _ in re.findall(r"\bCHECK \(", text)),
        indexes={(str(row[0]), str(row[2]), False) for row in indexes if row[1]},
        comments={f"{n}.{row[0]}": str(row[8]) for n in tables for row in shown[n] if row[8]}
        | {
            str(row[0]): str(row[17])
            for row in place.rows("SHOW TABLE STATUS")
            if row[0] in tables and row[17]
        },
        partitions={
            name for text in texts.values() for name in re.findall(r"PARTITION `(\w+)` VALUES", text)
        },
    )


def postgres(place: Place) -> Told:
    """The standard's views."""
    here = f"table_schema = '{place.schema}'"
    columns = place.rows(
        "SELECT table_name, column_name, is_nullable, column_default, is_identity, is_generated"
        f" FROM information_schema.columns WHERE {here} ORDER BY table_name, ordinal_position"
    )
    relations = place.rows(f"SELECT table_name, table_type FROM information_schema.tables WHERE {here}")
    tables = {str(name) for name, kind in relations if kind == "BASE TABLE"}
    listed: dict[str, list[str]] = defaultdict(list)
    for name, column, *_ in columns:
        listed[str(name)].append(str(column))
    of_tables = [row for row in columns if row[0] in tables]
    return Told(
        tables=tables,
        views={str(name) for name, kind in relations if kind == "VIEW"},
        columns=dict(listed),
        not_null={(str(n), str(c)) for n, c, null, *_ in of_tables if null == "NO"},
        defaults={(str(row[0]), str(row[1])) for row in of_tables if row[3] is not None},
        generated={(str(row[0]), str(row[1])) for row in of_tables if row[5] == "ALWAYS"},
        numbered={(str(row[0]), str(row[1])) for row in of_tables if row[4] == "YES"},
        checks={
            str(name): int(str(count))
            for name, count in place.rows(
                "SELECT table_name, count(*) FROM information_schema.table_constraints"
                f" WHERE {here} AND constraint_type = 'CHECK' AND constraint_name NOT LIKE '%_not_null'"
                " GROUP BY table_name"
            )
        },
    )


def inspected(place: Place) -> Told:
    """SQLAlchemy's inspector."""
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.exc import SAWarning

    engine = create_engine(place.url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        warnings.simplefilter("ignore", SAWarning)  # an index on an expression
        schema = place.schema if place.name == "postgres" else None
        inspector: Any = inspect(engine)
        every = set(inspector.get_table_names(schema=schema))
        # A partition has what its table has, and nothing of its own.
        tables = {name for name in every if not name.startswith("payment_")}
        keys = [
            (name, tuple(key["constrained_columns"]), key)
            for name in tables
            for key in inspector.get_foreign_keys(name, schema=schema)
        ]
        usual = "restrict" if place.name == "mysql" else "no action"
        primary = {n: inspector.get_pk_constraint(n, schema=schema)["constrained_columns"] for n in tables}
        return Told(
            tables=every,
            primary_keys={name: tuple(columns) for name, columns in primary.items() if columns},
            uniques={
                (name, tuple(one["column_names"]))
                for name in tables
                for one in inspector.get_unique_constraints(name, schema=schema)
            },
            foreign_keys={
                (name, columns, key["referred_table"], tuple(key["referred_columns"]))
                for name, columns, key in keys
            },
            # Of SQLite's, it reads those in the text of tables alone.
            actions=None
            if place.name == "sqlite"
            else {
                (name, columns, *(_action(key, when, usual) for when in ("onupdate", "ondelete")))
                for name, columns, key in keys
            },
            # Of MariaDB's, it reads those of tables alone, and none of columns.
            checks=None
            if place.name == "mysql"
            else {
                name: count
                for name in tables
                if (count := len(inspector.get_check_constraints(name, schema=schema)))
            },
        )
    finally:
        engine.dispose()


def _action(key: Any, when: str, usual: str) -> str:
    return str(key["options"].get(when) or usual).lower()


def _text(name: object) -> str:
    return "'" + str(name).replace("'", "''") + "'"
