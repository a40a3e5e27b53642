-- schemas
SELECT
  CAST(n.nspname AS VARCHAR) AS "name",
  CAST(u.usename AS VARCHAR) AS "owner",
  NULL AS "comment",
  HAS_SCHEMA_PRIVILEGE(n.nspname, 'usage') AS "is_readable"
FROM pg_namespace AS n
LEFT JOIN pg_user AS u ON u.usesysid = n.nspowner
ORDER BY 1;

-- relations
SELECT
  CAST(n.nspname AS VARCHAR) AS "schema",
  CAST(c.relname AS VARCHAR) AS "name",
  CASE WHEN c.relkind <> 'v' THEN 'table' WHEN pg_get_viewdef(c.oid) ILIKE '%create materialized view%' THEN 'materialized_view' ELSE 'view' END AS "kind",
  CAST(u.usename AS VARCHAR) AS "owner",
  d.description AS "comment",
  CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END AS "definition",
  NULL AS "partition_key",
  NULL AS "partition_of_schema",
  NULL AS "partition_of",
  NULL AS "partition_bound",
  NULL AS "partitions",
  CASE WHEN c.relkind <> 'v' THEN '{"dist_style": "' || CASE i.releffectivediststyle WHEN 0 THEN 'even' WHEN 1 THEN 'key' WHEN 8 THEN 'all' ELSE 'auto' END || '"' || COALESCE(', "dist_key": ' || k.dist_key, '') || CASE WHEN k.sort_key = '[]' THEN '' ELSE COALESCE(', "sort_key": ' || k.sort_key, '') END || '}' END AS "options",
  CASE WHEN c.relkind <> 'v' AND c.reltuples >= 1 THEN CAST(c.reltuples AS BIGINT) END AS "row_estimate",
  NULL AS "bytes",
  CAST(i.relcreationtime AS TIMESTAMP) AS "created_at",
  NULL AS "altered_at",
  NULL AS "is_readable",
  NULL AS "reads"
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_class_info AS i ON i.reloid = c.oid
LEFT JOIN pg_user AS u ON u.usesysid = c.relowner
LEFT JOIN pg_description AS d ON d.objoid = c.oid AND d.objsubid = 0
LEFT JOIN (
  SELECT
    a.attrelid,
    MAX(CASE WHEN a.attisdistkey THEN '"' || REPLACE(REPLACE(CAST(a.attname AS VARCHAR), CHR(92), CHR(92) || CHR(92)), '"', CHR(92) || '"') || '"' END) AS dist_key,
    '[' || COALESCE(MAX(CASE WHEN ABS(a.attsortkeyord) = 1 THEN '"' || REPLACE(REPLACE(CAST(a.attname AS VARCHAR), CHR(92), CHR(92) || CHR(92)), '"', CHR(92) || '"') || '"' END), '')
    || COALESCE(', ' || MAX(CASE WHEN ABS(a.attsortkeyord) = 2 THEN '"' || REPLACE(REPLACE(CAST(a.attname AS VARCHAR), CHR(92), CHR(92) || CHR(92)), '"', CHR(92) || '"') || '"' END), '')
    || COALESCE(', ' || MAX(CASE WHEN ABS(a.attsortkeyord) = 3 THEN '"' || REPLACE(REPLACE(CAST(a.attname AS VARCHAR), CHR(92), CHR(92) || CHR(92)), '"', CHR(92) || '"') || '"' END), '')
    || COALESCE(', ' || MAX(CASE WHEN ABS(a.attsortkeyord) = 4 THEN '"' || REPLACE(REPLACE(CAST(a.attname AS VARCHAR), CHR(92), CHR(92) || CHR(92)), '"', CHR(92) || '"') || '"' END), '')
    || COALESCE(', ' || MAX(CASE WHEN ABS(a.attsortkeyord) = 5 THEN '"' || REPLACE(REPLACE(CAST(a.attname AS VARCHAR), CHR(92), CHR(92) || CHR(92)), '"', CHR(92) || '"') || '"' END), '')
    || COALESCE(', ' || MAX(CASE WHEN ABS(a.attsortkeyord) = 6 THEN '"' || REPLACE(REPLACE(CAST(a.attname AS VARCHAR), CHR(92), CHR(92) || CHR(92)), '"', CHR(92) || '"') || '"' END), '')
    || COALESCE(', ' || MAX(CASE WHEN ABS(a.attsortkeyord) = 7 THEN '"' || REPLACE(REPLACE(CAST(a.attname AS VARCHAR), CHR(92), CHR(92) || CHR(92)), '"', CHR(92) || '"') || '"' END), '')
    || COALESCE(', ' || MAX(CASE WHEN ABS(a.attsortkeyord) = 8 THEN '"' || REPLACE(REPLACE(CAST(a.attname AS VARCHAR), CHR(92), CHR(92) || CHR(92)), '"', CHR(92) || '"') || '"' END), '') || ']' AS sort_key
  FROM pg_attribute AS a WHERE a.attnum > 0 AND NOT a.attisdropped GROUP BY a.attrelid
) AS k ON k.attrelid = c.oid
WHERE c.relkind IN ('r', 'v') AND n.nspname IN ('sales', 'it''s \\ "new"')
  AND LEFT(c.relname, 8) <> 'mv_tbl__'
UNION ALL
SELECT
  CAST(e.schemaname AS VARCHAR) AS "schema",
  CAST(e.tablename AS VARCHAR) AS "name",
  'external_table' AS "kind",
  NULL AS "owner",
  NULL AS "comment",
  NULL AS "definition",
  NULL AS "partition_key",
  NULL AS "partition_of_schema",
  NULL AS "partition_of",
  NULL AS "partition_bound",
  NULL AS "partitions",
  '{"location": ' || '"' || REPLACE(REPLACE(CAST(e.location AS VARCHAR), CHR(92), CHR(92) || CHR(92)), '"', CHR(92) || '"') || '"' || '}' AS "options",
  NULL AS "row_estimate",
  NULL AS "bytes",
  NULL AS "created_at",
  NULL AS "altered_at",
  NULL AS "is_readable",
  NULL AS "reads"
FROM svv_external_tables AS e
WHERE e.schemaname IN ('sales', 'it''s \\ "new"') AND e.redshift_database_name = 'shop'
ORDER BY 1, 2;

-- columns
SELECT
  told."schema" AS "schema",
  told."relation" AS "relation",
  told."name" AS "name",
  told."type" AS "type",
  told."is_not_null" AS "is_not_null",
  told."default" AS "default",
  told."generated" AS "generated",
  told."generated_kind" AS "generated_kind",
  told."identity" AS "identity",
  told."collation" AS "collation",
  told."comment" AS "comment"
FROM (
SELECT
  CAST(n.nspname AS VARCHAR) AS "schema",
  CAST(c.relname AS VARCHAR) AS "relation",
  CAST(a.attname AS VARCHAR) AS "name",
  format_type(a.atttypid, a.atttypmod) AS "type",
  a.attnotnull AS "is_not_null",
  CASE WHEN pg_get_expr(f.adbin, f.adrelid) NOT LIKE '%identity"(%' THEN pg_get_expr(f.adbin, f.adrelid) END AS "default",
  NULL AS "generated",
  NULL AS "generated_kind",
  CASE WHEN pg_get_expr(f.adbin, f.adrelid) LIKE '"identity"(%' THEN 'always ' || SPLIT_PART(pg_get_expr(f.adbin, f.adrelid), '''', 2) WHEN pg_get_expr(f.adbin, f.adrelid) LIKE '"default_identity"(%' THEN 'by default ' || SPLIT_PART(pg_get_expr(f.adbin, f.adrelid), '''', 2) END AS "identity",
  NULL AS "collation",
  d.description AS "comment",
  a.attnum AS place
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef AS f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN pg_description AS d ON d.objoid = a.attrelid AND d.objsubid = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v')
  AND n.nspname IN ('sales', 'it''s \\ "new"') AND LEFT(c.relname, 8) <> 'mv_tbl__'
UNION ALL
SELECT
  CAST(s AS VARCHAR) AS "schema",
  CAST(v AS VARCHAR) AS "relation",
  CAST(c AS VARCHAR) AS "name",
  CAST(t AS VARCHAR) AS "type",
  NULL AS "is_not_null",
  NULL AS "default",
  NULL AS "generated",
  NULL AS "generated_kind",
  NULL AS "identity",
  NULL AS "collation",
  NULL AS "comment",
  n AS place
FROM pg_get_late_binding_view_cols() AS cols(s NAME, v NAME, c NAME, t VARCHAR, n INT)
WHERE s IN ('sales', 'it''s \\ "new"')
UNION ALL
SELECT
  CAST(e.schemaname AS VARCHAR) AS "schema",
  CAST(e.tablename AS VARCHAR) AS "relation",
  CAST(e.columnname AS VARCHAR) AS "name",
  CAST(e.external_type AS VARCHAR) AS "type",
  NULL AS "is_not_null",
  NULL AS "default",
  NULL AS "generated",
  NULL AS "generated_kind",
  NULL AS "identity",
  NULL AS "collation",
  NULL AS "comment",
  e.columnnum AS place
FROM svv_external_columns AS e
WHERE e.schemaname IN ('sales', 'it''s \\ "new"') AND e.redshift_database_name = 'shop'
) AS told
ORDER BY told."schema", told."relation", told.place;

-- constraints
SELECT
  n.nspname AS "schema",
  c.relname AS "relation",
  o.conname AS "name",
  CASE o.contype WHEN 'p' THEN 'primary_key' WHEN 'u' THEN 'unique' ELSE 'foreign_key' END AS "type",
  '[' || COALESCE(MAX(CASE WHEN a.attnum = o.conkey[1] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[2] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[3] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[4] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[5] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[6] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[7] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[8] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[9] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[10] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[11] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[12] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[13] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[14] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[15] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[16] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[17] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[18] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[19] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[20] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[21] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[22] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[23] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[24] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[25] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[26] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[27] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[28] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[29] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[30] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[31] THEN a.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN a.attnum = o.conkey[32] THEN a.quoted END), '') || ']' AS "columns",
  NULL AS "expression",
  m.nspname AS "ref_schema",
  r.relname AS "ref_relation",
  CASE WHEN r.relname IS NOT NULL THEN '[' || COALESCE(MAX(CASE WHEN b.attnum = o.confkey[1] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[2] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[3] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[4] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[5] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[6] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[7] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[8] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[9] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[10] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[11] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[12] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[13] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[14] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[15] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[16] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[17] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[18] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[19] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[20] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[21] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[22] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[23] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[24] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[25] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[26] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[27] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[28] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[29] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[30] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[31] THEN b.quoted END), '')
    || COALESCE(', ' || MAX(CASE WHEN b.attnum = o.confkey[32] THEN b.quoted END), '') || ']' END AS "ref_columns",
  NULL AS "on_update",
  NULL AS "on_delete",
  NULL AS "options"
FROM pg_constraint AS o
JOIN pg_class AS c ON c.oid = o.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN (SELECT attrelid, attnum, '"' || REPLACE(REPLACE(CAST(attname AS VARCHAR), CHR(92), CHR(92) || CHR(92)), '"', CHR(92) || '"') || '"' AS quoted FROM pg_attribute WHERE attnum > 0) AS a ON a.attrelid = o.conrelid AND a.attnum = ANY(o.conkey)
LEFT JOIN pg_class AS r ON r.oid = o.confrelid AND o.contype = 'f'
LEFT JOIN pg_namespace AS m ON m.oid = r.relnamespace
LEFT JOIN (SELECT attrelid, attnum, '"' || REPLACE(REPLACE(CAST(attname AS VARCHAR), CHR(92), CHR(92) || CHR(92)), '"', CHR(92) || '"') || '"' AS quoted FROM pg_attribute WHERE attnum > 0) AS b ON b.attrelid = r.oid AND b.attnum = ANY(o.confkey)
WHERE o.contype IN ('p', 'u', 'f') AND n.nspname IN ('sales', 'it''s \\ "new"')
GROUP BY n.nspname, c.relname, o.conname, o.contype, m.nspname, r.relname;
