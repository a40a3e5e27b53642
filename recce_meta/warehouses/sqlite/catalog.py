"""Catalog of SQLite 3.39 and later: the schema table joined with pragmas, and parsed CREATE TABLE text.

https://www.sqlite.org/pragma.html, https://www.sqlite.org/schematab.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from recce_meta.warehouses.catalog import BaseCatalog, Part, quoted_name
from recce_meta.warehouses.create_table import TableConstraint, TableText, by_table, read_table

# A schema is an attached file; `main` is the file that was opened.
_SCHEMAS = "SELECT name, NULL, NULL, NULL FROM pragma_database_list WHERE name <> 'temp' ORDER BY name"

# {schema} is a literal, {name} the quoted name. Shadow tables of virtual tables and SQLite's own tables
# (sqlite_…) are excluded.
_RELATIONS = r"""
SELECT {schema}, m.name, m.type, NULL, NULL, CASE WHEN m.type = 'view' THEN m.sql END,
    NULL, NULL, NULL, NULL, NULL,
    nullif(json_patch(json_patch(
        CASE WHEN l.wr THEN '{{"without_rowid": true}}' ELSE '{{}}' END,
        CASE WHEN l.strict THEN '{{"strict": true}}' ELSE '{{}}' END),
        CASE WHEN l.type = 'virtual' THEN json_object('virtual', m.sql) ELSE '{{}}' END), '{{}}'),
    NULL, NULL, NULL, NULL, NULL
FROM {name}.sqlite_schema AS m
JOIN pragma_table_list AS l ON l.schema = {schema} AND l.name = m.name
WHERE m.type IN ('table', 'view') AND l.type <> 'shadow' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\'
"""

# The pragma of a broken view fails, and so does the query. pragma_table_list does not fail: it returns a
# broken view without columns, and possibly also the views and virtual tables after it.
_COLUMNS = r"""
SELECT {schema}, m.name, x.name, x.type, x."notnull", x.dflt_value, NULL,
    CASE x.hidden WHEN 2 THEN 'virtual' WHEN 3 THEN 'stored' END, NULL, NULL, NULL,
    CASE WHEN m.type = 'table' AND x.cid = 0 THEN m.sql END
FROM {name}.sqlite_schema AS m
JOIN pragma_table_list AS l ON l.schema = {schema} AND l.name = m.name AND l.ncol > 0 AND l.type <> 'shadow'
JOIN pragma_table_xinfo(m.name, {schema}) AS x
WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND x.hidden <> 1
"""

_COLUMNS_OF_ONE = """
SELECT {schema}, {relation}, x.name, x.type, x."notnull", x.dflt_value, NULL, NULL, NULL, NULL, NULL, NULL
FROM pragma_table_xinfo({relation}, {schema}) AS x
WHERE x.hidden <> 1
"""

# Each table's CREATE TABLE is included for names, checks and deferred constraints. Tables without a root
# page are virtual, and their pragma fails if the module is not loaded.
# virtual, and its pragma fails where its module is not loaded.
_CONSTRAINTS = r"""
SELECT {schema}, t.name, NULL, 'text', '[]', t.sql, NULL, NULL, NULL, NULL, NULL, NULL
FROM {name}.sqlite_schema AS t
WHERE t.type = 'table'
UNION ALL
SELECT {schema}, k.name, NULL, 'primary_key', json_group_array(k.part),
    NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (
    SELECT m.name, x.name AS part
    FROM {name}.sqlite_schema AS m JOIN pragma_table_xinfo(m.name, {schema}) AS x
    WHERE m.type = 'table' AND m.rootpage > 0 AND x.pk > 0
    ORDER BY m.name, x.pk
) AS k
GROUP BY k.name
UNION ALL
SELECT {schema}, k.name, NULL, 'unique', json_group_array(k.part), NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM (
    SELECT m.name, i.name AS "index", x.name AS part
    FROM {name}.sqlite_schema AS m
    JOIN pragma_index_list(m.name, {schema}) AS i
    JOIN pragma_index_info(i.name, {schema}) AS x
    WHERE m.type = 'table' AND i.origin = 'u'
    ORDER BY m.name, i.name, x.seqno
) AS k
GROUP BY k.name, k."index"
UNION ALL
SELECT {schema}, k.name, NULL, 'foreign_key', json_group_array(k.part), NULL, {schema}, k.parent,
    json_group_array(k.parent_part), lower(k.on_update), lower(k.on_delete), NULL
FROM (
    SELECT m.name, f.id, f."from" AS part, f.on_update, f.on_delete,
        coalesce((SELECT p.name FROM {name}.sqlite_schema AS p
            WHERE p.type = 'table' AND lower(p.name) = lower(f."table")), f."table") AS parent,
        coalesce(f."to", (SELECT p.name FROM pragma_table_xinfo(f."table", {schema}) AS p
            WHERE p.pk = f.seq + 1)) AS parent_part
    FROM {name}.sqlite_schema AS m JOIN pragma_foreign_key_list(m.name, {schema}) AS f
    WHERE m.type = 'table'
    ORDER BY m.name, f.id, f.seq
) AS k
GROUP BY k.name, k.id
"""

_INDEXES = """
SELECT {schema}, m.name, i.name, s.sql, i."unique"
FROM {name}.sqlite_schema AS m
JOIN pragma_index_list(m.name, {schema}) AS i
JOIN {name}.sqlite_schema AS s ON s.type = 'index' AND s.name = i.name
WHERE m.type = 'table' AND i.origin = 'c'
"""

_TEMPLATES = {
    Part.RELATIONS: _RELATIONS,
    Part.COLUMNS: _COLUMNS,
    Part.CONSTRAINTS: _CONSTRAINTS,
    Part.INDEXES: _INDEXES,
}


class Catalog(BaseCatalog):
    """SQLite's catalog, without owners, comments and times, and without row estimates, which not every
    file has.
    """

    default_schema = "main"
    has_databases = False
    # A type is arbitrary text: https://www.sqlite.org/datatype3.html#determination_of_column_affinity
    types_have_case = False

    def statements(self, part: Part, schemas: Sequence[str], database: str | None) -> tuple[str, ...]:
        """Return one statement for each part, which covers all attached files."""
        if part is Part.SCHEMAS:
            return (_SCHEMAS,)
        pieces = (
            _TEMPLATES[part].format(schema=self.literal(schema), name=quoted_name(schema))
            for schema in schemas
        )
        return ("\nUNION ALL\n".join(pieces),)

    def columns_sql(self, schema: str, name: str) -> str | None:
        """Return the pragma query of one relation. It fails for a broken view or a missing module."""
        return _COLUMNS_OF_ONE.format(schema=self.literal(schema), relation=self.literal(name))

    def rows(self, part: Part, answer: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        """Return the rows completed with facts from CREATE TABLE."""
        if part is Part.COLUMNS:
            return by_table(answer, _columns)
        if part is Part.CONSTRAINTS:
            return by_table(answer, _constraints)
        return answer


def _columns(rows: list[list[Any]]) -> list[list[Any]]:
    """Complete the columns of one table with expression, collation and AUTOINCREMENT."""
    sql = next((row[-1] for row in rows if row[-1]), None)
    text = read_table(sql) if sql else TableText({}, [])
    for row in rows:
        definition = text.columns.get(row[2].lower())
        if definition is not None:
            if row[7] is not None:
                row[5], row[6] = None, definition.generated
            row[8] = "autoincrement" if definition.is_autoincrement else None
            row[9] = definition.collation
        row[3] = row[3].removesuffix(" GENERATED ALWAYS") if row[7] is not None else row[3]
    return [row[:-1] for row in rows]


def _constraints(rows: list[list[Any]]) -> list[list[Any]]:
    """Return the constraints of one table with their names, and its checks."""
    texts = [row[5] for row in rows if row[3] == "text" and row[5]]
    found = [row for row in rows if row[3] != "text"]
    written = read_table(texts[0]).constraints if texts else []
    for row in found:
        constraint = _written(row, written)
        if constraint is not None:
            written.remove(constraint)
            row[2], row[11] = constraint.name, _options(constraint)
    place = rows[0][:2]
    checks = [
        [*place, one.name, "check", json.dumps(one.columns, ensure_ascii=False), one.expression, *[None] * 6]
        for one in written
        if one.type == "check"
    ]
    return found + checks


def _written(row: Sequence[Any], written: Sequence[TableConstraint]) -> TableConstraint | None:
    """Return the constraint in *written* that matches *row* by kind and columns."""
    columns = [name.lower() for name in json.loads(row[4])]
    fitting = [
        one for one in written if one.type == row[3] and [name.lower() for name in one.columns] == columns
    ]
    # SQLite lists foreign keys in reverse order.
    return (fitting[-1] if row[3] == "foreign_key" else fitting[0]) if fitting else None


def _options(constraint: TableConstraint) -> str | None:
    if not constraint.is_deferrable:
        return None
    options = {"deferrable": True, **({"initially_deferred": True} if constraint.is_deferred else {})}
    return json.dumps(options)
