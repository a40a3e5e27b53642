-- hand-written: only PostgreSQL refuses to drop a view that others read
-- The views of users that read views of the store, in the newline-separated list: statements that drop and create each.
WITH RECURSIVE readers AS (
  SELECT own.oid, 0 AS depth
  FROM pg_catalog.pg_class AS own
  JOIN pg_catalog.pg_namespace AS own_schema ON own_schema.oid = own.relnamespace
  WHERE own_schema.nspname = :schema AND own.relkind = 'v' AND own.relname = ANY(STRING_TO_ARRAY(:names, CHR(10)))
  UNION
  SELECT rule.ev_class, readers.depth + 1
  FROM readers
  JOIN pg_catalog.pg_depend AS use
    ON use.refobjid = readers.oid
    AND use.refclassid = CAST('pg_class' AS REGCLASS)
    AND use.classid = CAST('pg_rewrite' AS REGCLASS)
  JOIN pg_catalog.pg_rewrite AS rule ON rule.oid = use.objid AND rule.ev_class <> readers.oid
)
SELECT
  FORMAT('DROP %s %I.%I', CASE reader.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, place.nspname, reader.relname),
  FORMAT(
    'CREATE %s %I.%I%s AS %s',
    CASE reader.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END,
    place.nspname,
    reader.relname,
    ' WITH (' || ARRAY_TO_STRING(reader.reloptions, ', ') || ')',
    RTRIM(PG_GET_VIEWDEF(reader.oid), ';')
  )
FROM readers
JOIN pg_catalog.pg_class AS reader ON reader.oid = readers.oid
JOIN pg_catalog.pg_namespace AS place ON place.oid = reader.relnamespace
WHERE NOT (place.nspname = :schema AND reader.relname = ANY(STRING_TO_ARRAY(:names, CHR(10))))
GROUP BY reader.oid, reader.relkind, reader.relname, reader.reloptions, place.nspname
ORDER BY MAX(readers.depth) DESC;

-- Statements that give these views, and those of the store, their indexes, grants and owners again.
WITH RECURSIVE readers AS (
  SELECT own.oid
  FROM pg_catalog.pg_class AS own
  JOIN pg_catalog.pg_namespace AS own_schema ON own_schema.oid = own.relnamespace
  WHERE own_schema.nspname = :schema AND own.relkind = 'v' AND own.relname = ANY(STRING_TO_ARRAY(:names, CHR(10)))
  UNION
  SELECT rule.ev_class
  FROM readers
  JOIN pg_catalog.pg_depend AS use
    ON use.refobjid = readers.oid
    AND use.refclassid = CAST('pg_class' AS REGCLASS)
    AND use.classid = CAST('pg_rewrite' AS REGCLASS)
  JOIN pg_catalog.pg_rewrite AS rule ON rule.oid = use.objid AND rule.ev_class <> readers.oid
)
SELECT lost.statement
FROM (
  SELECT 1 AS step, PG_GET_INDEXDEF(own_index.indexrelid) AS statement
  FROM readers
  JOIN pg_catalog.pg_index AS own_index ON own_index.indrelid = readers.oid
  UNION ALL
  SELECT
    2,
    FORMAT(
      'GRANT %s ON %I.%I TO %s%s',
      granted.privilege_type,
      place.nspname,
      reader.relname,
      CASE WHEN granted.grantee = 0 THEN 'PUBLIC' ELSE QUOTE_IDENT(PG_GET_USERBYID(granted.grantee)) END,
      CASE WHEN granted.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
    )
  FROM readers
  JOIN pg_catalog.pg_class AS reader ON reader.oid = readers.oid
  JOIN pg_catalog.pg_namespace AS place ON place.oid = reader.relnamespace
  CROSS JOIN LATERAL ACLEXPLODE(reader.relacl) AS granted
  WHERE granted.grantee <> reader.relowner
  UNION ALL
  SELECT 3, FORMAT('ALTER TABLE %I.%I OWNER TO %I', place.nspname, reader.relname, PG_GET_USERBYID(reader.relowner))
  FROM readers
  JOIN pg_catalog.pg_class AS reader ON reader.oid = readers.oid
  JOIN pg_catalog.pg_namespace AS place ON place.oid = reader.relnamespace
  WHERE PG_GET_USERBYID(reader.relowner) <> CURRENT_USER
) AS lost
ORDER BY lost.step;
