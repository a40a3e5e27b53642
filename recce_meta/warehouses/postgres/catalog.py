"""Catalog of PostgreSQL 12 and later.

Excluded, as in pg_dump: objects of extensions, invalid indexes, and constraints and indexes that a partition
or child table inherits. Not scanned: privileges, triggers, rules, policies, sequences, functions and types.

Source: https://www.postgresql.org/docs/current/catalogs.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from recce_meta.errors import MissingRelation
from recce_meta.models.catalog import VIEWS
from recce_meta.warehouses.catalog import BaseCatalog, Part

_LOCK_SECONDS = 10
"""Maximum wait of a query for a table with an exclusive lock: ALTER TABLE, TRUNCATE."""

# Without a search path, every name outside pg_catalog is qualified, as in a dump. Functions that return
# definitions open the tables and so wait for locks. Compilation (`jit`) takes a second for queries of a
# tenth of a second.
_SETTINGS = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    f"""
SELECT set_config('search_path', '', true),
  set_config('standard_conforming_strings', 'on', true),
  set_config('quote_all_identifiers', 'off', true),
  set_config('jit', 'off', true),
  CASE WHEN CAST(current_setting('lock_timeout') AS interval) NOT BETWEEN '1ms' AND '{_LOCK_SECONDS}s'
    THEN set_config('lock_timeout', '{_LOCK_SECONDS}s', true)
  END
""",
)

# A schema that belongs to an extension is excluded if it only contains objects of extensions.
_SCHEMAS = """
SELECT n.nspname, pg_get_userbyid(n.nspowner), d.description, has_schema_privilege(n.oid, 'USAGE')
FROM pg_namespace n
LEFT JOIN pg_description d ON d.classoid = 'pg_namespace'::regclass AND d.objoid = n.oid AND d.objsubid = 0
WHERE NOT EXISTS (
    SELECT FROM pg_depend e
    WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e'
  )
  OR EXISTS (
    SELECT FROM pg_class c
    WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT EXISTS (
        SELECT FROM pg_depend e
        WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
      )
  )
ORDER BY n.nspname
"""

# Objects of extensions are found once for all relations, not once for each.
_FOUND = """
WITH found AS MATERIALIZED (
  SELECT c.*, n.nspname
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname IN ({schemas})
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND c.oid NOT IN (
      SELECT e.objid FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.deptype = 'e'
    )
)
"""

# A view's query ends with a semicolon. Before PostgreSQL 14, 0 rows on 0 pages may also mean that the table
# was never analyzed. `pg_total_relation_size` is exact, but it stats every file and waits for locks. The
# page counts of VACUUM, ANALYZE and CREATE INDEX take a fifth of the time and never wait.
_RELATIONS = """
SELECT c.nspname, c.relname,
  CASE c.relkind
    WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' WHEN 'f' THEN 'external_table' ELSE 'table'
  END,
  pg_get_userbyid(c.relowner), d.description,
  CASE WHEN c.relkind IN ('v', 'm') THEN ltrim(rtrim(pg_get_viewdef(c.oid), chr(59))) END,
  CASE WHEN c.relkind = 'p' THEN COALESCE(pg_get_partkeydef(c.oid), '') END,
  CASE WHEN c.relispartition THEN above.nspname END,
  CASE WHEN c.relispartition THEN above.relname END,
  CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, 0) END,
  NULL,
  CASE WHEN c.reloptions IS NOT NULL OR toast.reloptions IS NOT NULL OR c.relpersistence = 'u'
      OR c.reltablespace <> 0 OR c.relam <> heap.oid AND c.relam <> 0 OR c.reloftype <> 0
      OR c.relrowsecurity OR c.relreplident NOT IN ('d', 'n') OR clustered.relname IS NOT NULL
      OR c.relreplident = 'n' AND c.relkind IN ('r', 'p', 'm')
      OR NOT c.relispartition AND above.inherits IS NOT NULL
      OR f.srvname IS NOT NULL OR special.columns IS NOT NULL
    THEN jsonb_strip_nulls(jsonb_build_object(
      'storage', (
        SELECT jsonb_object_agg(option_name, option_value) FROM (
          SELECT option_name, option_value FROM pg_options_to_table(c.reloptions)
          UNION ALL
          SELECT 'toast.' || option_name, option_value FROM pg_options_to_table(toast.reloptions)
        ) AS settings
      ),
      'unlogged', CASE WHEN c.relpersistence = 'u' THEN true END,
      'tablespace', (SELECT spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace),
      'access_method', (SELECT amname FROM pg_am m WHERE m.oid = c.relam AND m.oid <> heap.oid),
      'of_type', CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
      'inherits', CASE WHEN NOT c.relispartition THEN above.inherits END,
      'row_security', CASE WHEN NOT c.relrowsecurity THEN NULL
        WHEN c.relforcerowsecurity THEN 'forced' ELSE 'enabled' END,
      'replica_identity', CASE
        WHEN c.relkind NOT IN ('r', 'p', 'm') THEN NULL
        WHEN c.relreplident = 'n' THEN 'nothing' WHEN c.relreplident = 'f' THEN 'full'
        WHEN c.relreplident = 'i' THEN (
          SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
          WHERE i.indrelid = c.oid AND i.indisreplident
        )
      END,
      'clustered_on', clustered.relname,
      'server', f.srvname,
      'foreign', (SELECT jsonb_object_agg(option_name, option_value) FROM pg_options_to_table(f.ftoptions)),
      'columns', special.columns
    ))::text
  END,
  CASE WHEN c.relkind = 'v' THEN NULL
    WHEN c.reltuples > 0 OR c.relpages > 0 THEN c.reltuples::bigint
    WHEN c.reltuples = 0 AND current_setting('server_version_num')::int >= 140000 THEN 0
  END,
  CASE WHEN c.relkind IN ('r', 'm') AND (c.reltuples >= 0 AND (c.relpages > 0 OR c.reltuples = 0))
    THEN (c.relpages + COALESCE(toast.relpages, 0) + COALESCE(of_indexes.pages, 0))
      * current_setting('block_size')::bigint
  END,
  NULL, NULL,
  has_table_privilege(c.oid, 'SELECT'),
  CASE WHEN c.relkind IN ('v', 'm') THEN (
    SELECT jsonb_agg(DISTINCT jsonb_build_array(n.nspname, p.relname))::text
    FROM pg_rewrite w
    JOIN pg_depend e ON e.classid = 'pg_rewrite'::regclass AND e.objid = w.oid
      AND e.refclassid = 'pg_class'::regclass AND e.refobjid <> c.oid
    JOIN pg_class p ON p.oid = e.refobjid AND p.relkind IN ('r', 'p', 'v', 'm', 'f')
    JOIN pg_namespace n ON n.oid = p.relnamespace
    WHERE w.ev_class = c.oid
  ) END
FROM found c
LEFT JOIN pg_am heap ON heap.amname = 'heap'
LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid
LEFT JOIN (
  SELECT i.inhrelid, min(n.nspname::text) AS nspname, min(p.relname::text) AS relname,
    jsonb_agg(format('%I.%I', n.nspname, p.relname) ORDER BY i.inhseqno) AS inherits
  FROM pg_inherits i
  JOIN pg_class p ON p.oid = i.inhparent AND p.relkind IN ('r', 'p', 'f')
  JOIN pg_namespace n ON n.oid = p.relnamespace
  GROUP BY i.inhrelid
) AS above ON above.inhrelid = c.oid
LEFT JOIN (
  SELECT i.indrelid, sum(x.relpages) AS pages
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid GROUP BY i.indrelid
) AS of_indexes ON of_indexes.indrelid = c.oid
LEFT JOIN (
  SELECT i.indrelid, x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indisclustered
) AS clustered ON clustered.indrelid = c.oid
LEFT JOIN (
  SELECT t.ftrelid, t.ftoptions, s.srvname
  FROM pg_foreign_table t JOIN pg_foreign_server s ON s.oid = t.ftserver
) AS f ON f.ftrelid = c.oid
LEFT JOIN (
  SELECT a.attrelid, jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'column', a.attname,
      'storage', CASE WHEN a.is_stored_otherwise THEN
        CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main'
          ELSE 'extended' END
      END,
      'compression', CASE a.compression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
      'statistics', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
      'settings', (
        SELECT jsonb_object_agg(option_name, option_value) FROM pg_options_to_table(a.attoptions)
        WHERE option_name LIKE 'n_distinct%'
      ),
      'foreign', (
        SELECT jsonb_object_agg(option_name, option_value) FROM pg_options_to_table(a.attfdwoptions)
      )
    )) ORDER BY a.attnum) AS columns
  FROM (SELECT ''::"char" AS attcompression) AS older
  CROSS JOIN LATERAL (
    SELECT a.attrelid, a.attnum, a.attname, a.attstorage, a.attstattarget, a.attoptions, a.attfdwoptions,
      attcompression AS compression, a.attstorage <> t.typstorage AS is_stored_otherwise
    FROM found c
    JOIN pg_attribute a ON a.attrelid = c.oid
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND (
      a.attstorage <> t.typstorage OR attcompression <> '' OR a.attstattarget >= 0
      OR a.attoptions::text LIKE '%n_distinct%' OR a.attfdwoptions IS NOT NULL
    )
  ) AS a
  GROUP BY a.attrelid
) AS special ON special.attrelid = c.oid
ORDER BY c.nspname, c.relname
"""

# An expression without columns is returned without opening its table, which may be locked.
_COLUMNS = """
SELECT c.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
  CASE WHEN a.attgenerated = '' THEN pg_get_expr(v.adbin, 0) END,
  CASE WHEN a.attgenerated <> '' THEN pg_get_expr(v.adbin, v.adrelid) END,
  CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' END,
  CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END
    || CASE WHEN a.attidentity = '' THEN '' ELSE COALESCE((
      SELECT ' (' || NULLIF(concat_ws(', ',
        CASE WHEN q.seqstart <> 1 THEN 'start ' || q.seqstart END,
        CASE WHEN q.seqincrement <> 1 THEN 'increment ' || q.seqincrement END,
        CASE WHEN q.seqmin <> 1 THEN 'minimum ' || q.seqmin END,
        CASE WHEN q.seqmax NOT IN (32767, 2147483647, 9223372036854775807) THEN 'maximum ' || q.seqmax END,
        CASE WHEN q.seqcache <> 1 THEN 'cache ' || q.seqcache END,
        CASE WHEN q.seqcycle THEN 'cycle' END
      ), '') || ')'
      FROM pg_depend e JOIN pg_sequence q ON q.seqrelid = e.objid
      WHERE e.classid = 'pg_class'::regclass AND e.deptype = 'i'
        AND e.refclassid = 'pg_class'::regclass AND e.refobjid = a.attrelid AND e.refobjsubid = a.attnum
    ), '') END,
  CASE WHEN l.collnamespace = 'pg_catalog'::regnamespace THEN l.collname
    WHEN l.oid IS NOT NULL THEN format('%I.%I', s.nspname, l.collname)
  END,
  d.description
FROM found c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef v ON v.adrelid = a.attrelid AND v.adnum = a.attnum
LEFT JOIN pg_collation l ON l.oid = a.attcollation AND a.attcollation <> t.typcollation
LEFT JOIN pg_namespace s ON s.oid = l.collnamespace
LEFT JOIN pg_description d
  ON d.classoid = 'pg_class'::regclass AND d.objoid = a.attrelid AND d.objsubid = a.attnum
ORDER BY a.attrelid, a.attnum
"""

# `older` supplies defaults for columns of later versions that the catalog lacks.
_CONSTRAINTS = """
SELECT c.nspname, c.relname, k.conname,
  CASE k.contype WHEN 'p' THEN 'primary_key' WHEN 'u' THEN 'unique' WHEN 'f' THEN 'foreign_key'
    WHEN 'c' THEN 'check' ELSE 'exclusion' END,
  COALESCE((
    SELECT json_agg(a.attname ORDER BY named.place)
    FROM unnest(k.conkey) WITH ORDINALITY AS named (number, place)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = named.number
  )::text, '[]'),
  CASE k.contype WHEN 'c' THEN pg_get_expr(k.conbin, k.conrelid)
    WHEN 'x' THEN pg_get_constraintdef(k.oid) END,
  CASE WHEN k.contype = 'f' THEN (SELECT nspname FROM pg_namespace n WHERE n.oid = other.relnamespace) END,
  CASE WHEN k.contype = 'f' THEN other.relname END,
  CASE WHEN k.contype = 'f' THEN (
    SELECT json_agg(a.attname ORDER BY named.place)
    FROM unnest(k.confkey) WITH ORDINALITY AS named (number, place)
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = named.number
  )::text END,
  CASE k.confupdtype WHEN 'a' THEN 'no action' WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade'
    WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' END,
  CASE k.confdeltype WHEN 'a' THEN 'no action' WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade'
    WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' END,
  NULLIF(jsonb_strip_nulls(jsonb_build_object(
    'deferrable', CASE WHEN k.condeferrable THEN true END,
    'initially_deferred', CASE WHEN k.condeferred THEN true END,
    'not_valid', CASE WHEN NOT k.convalidated THEN true END,
    'not_enforced', CASE WHEN NOT k.is_enforced THEN true END,
    'no_inherit', CASE WHEN k.contype = 'c' AND k.connoinherit THEN true END,
    'match', CASE k.confmatchtype WHEN 'f' THEN 'full' WHEN 'p' THEN 'partial' END,
    'without_overlaps', CASE WHEN k.is_period AND k.contype <> 'f' THEN true END,
    'period', CASE WHEN k.is_period AND k.contype = 'f' THEN true END,
    'nulls_not_distinct', CASE WHEN i.is_nulls_not_distinct AND k.contype = 'u' THEN true END,
    'on_delete_columns', (
      SELECT json_agg(a.attname ORDER BY named.place)
      FROM unnest(k.delete_columns) WITH ORDINALITY AS named (number, place)
      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = named.number
    ),
    'include', CASE WHEN i.indnatts > i.indnkeyatts AND k.contype <> 'x' THEN (
      SELECT json_agg(a.attname ORDER BY named.place)
      FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS named (number, place)
      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = named.number
      WHERE named.place > i.indnkeyatts
    ) END,
    'storage', (
      SELECT jsonb_object_agg(option_name, option_value) FROM pg_options_to_table(i.reloptions)
    ),
    'tablespace', (SELECT spcname FROM pg_tablespace s WHERE s.oid = i.reltablespace)
  ))::text, '{}')
FROM found c
CROSS JOIN (
  SELECT true AS conenforced, false AS conperiod, NULL::int2[] AS confdelsetcols, false AS indnullsnotdistinct
) AS older
CROSS JOIN LATERAL (
  SELECT k.*, conenforced AS is_enforced, conperiod AS is_period, confdelsetcols AS delete_columns
  FROM pg_constraint k
  WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f', 'c', 'x')
    AND k.conparentid = 0 AND (k.conislocal OR k.coninhcount = 0)
) AS k
LEFT JOIN pg_class other ON other.oid = k.confrelid
LEFT JOIN LATERAL (
  SELECT i.indnatts, i.indnkeyatts, i.indkey, x.reloptions, x.reltablespace,
    indnullsnotdistinct AS is_nulls_not_distinct
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
  WHERE i.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
) AS i ON true
ORDER BY k.conrelid, k.conname
"""

_INDEXES = """
SELECT c.nspname, c.relname, x.relname, pg_get_indexdef(i.indexrelid), i.indisunique
FROM found c
JOIN pg_index i ON i.indrelid = c.oid AND i.indisready AND (i.indisvalid OR c.relkind = 'p')
JOIN pg_class x ON x.oid = i.indexrelid AND NOT x.relispartition
WHERE NOT EXISTS (
  SELECT FROM pg_constraint k
  WHERE k.conrelid = c.oid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
)
ORDER BY i.indrelid, x.relname
"""

_STATEMENTS: Mapping[Part, str] = {
    Part.SCHEMAS: _SCHEMAS,
    Part.RELATIONS: _FOUND + _RELATIONS,
    Part.COLUMNS: _FOUND + _COLUMNS,
    Part.CONSTRAINTS: _FOUND + _CONSTRAINTS,
    Part.INDEXES: _FOUND + _INDEXES,
}

# Positions of columns in the structs of `models.catalog`.
_IS_GONE: Mapping[Part, Callable[[Sequence[Any]], bool]] = {
    Part.RELATIONS: lambda row: (row[5] is None and row[2] in VIEWS) or row[6] == "",
    Part.COLUMNS: lambda row: row[7] is not None and row[6] is None,
    Part.CONSTRAINTS: lambda row: row[5] is None and row[3] in ("check", "exclusion"),
    Part.INDEXES: lambda row: row[3] is None,
}


class Catalog(BaseCatalog):
    """PostgreSQL's catalog queries."""

    settings = _SETTINGS
    # Names that begin with pg_ are reserved for the server, including schemas of temporary tables:
    # https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-CATALOG
    system_schemas: ClassVar[tuple[str, ...]] = ("pg_*", "information_schema")

    def statements(self, part: Part, schemas: Sequence[str], database: str | None) -> tuple[str, ...]:
        """Return one statement for each part, for all *schemas*."""
        return (_STATEMENTS[part].replace("{schemas}", self.listed(schemas)),)

    def rows(self, part: Part, answer: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        """Return *answer*. Raises MissingRelation if an object was dropped during the query.

        The rows are from one snapshot, but the functions that return definitions see later commits: they
        return NULL for dropped objects.
        """
        is_gone = _IS_GONE.get(part)
        gone = next(filter(is_gone, answer), None) if is_gone is not None else None
        if gone is not None:
            raise MissingRelation(f"{gone[0]}.{gone[1]} was changed during the scan")
        return answer
