-- schemas
SELECT
  schema_name AS "name",
  schema_owner AS "owner",
  comment AS "comment",
  NULL AS "is_readable"
FROM "shop".INFORMATION_SCHEMA.SCHEMATA
ORDER BY 1;

-- relations
SHOW MATERIALIZED VIEWS IN DATABASE "shop";
SHOW DYNAMIC TABLES IN DATABASE "shop";
SELECT
  t.table_schema AS "schema",
  t.table_name AS "name",
  CASE WHEN t.table_type = 'VIEW' THEN 'view' WHEN t.table_type = 'MATERIALIZED VIEW' OR t.is_dynamic = 'YES' THEN 'materialized_view' WHEN t.table_type = 'EXTERNAL TABLE' THEN 'external_table' ELSE 'table' END AS "kind",
  t.table_owner AS "owner",
  t.comment AS "comment",
  COALESCE(v.view_definition, s.definition) AS "definition",
  NULL AS "partition_key",
  NULL AS "partition_of_schema",
  NULL AS "partition_of",
  NULL AS "partition_bound",
  NULL AS "partitions",
  NULLIF(TO_JSON(OBJECT_CONSTRUCT('cluster_by', t.clustering_key, 'dynamic', IFF(t.is_dynamic = 'YES', TRUE, NULL), 'iceberg', IFF(t.is_iceberg = 'YES', TRUE, NULL), 'secure', IFF(v.is_secure = 'YES', TRUE, NULL), 'transient', IFF(t.is_transient = 'YES', TRUE, NULL))), '{}') AS "options",
  t.row_count AS "row_estimate",
  t.bytes AS "bytes",
  t.created AS "created_at",
  t.last_altered AS "altered_at",
  NULL AS "is_readable",
  NULL AS "reads"
FROM "shop".INFORMATION_SCHEMA.TABLES AS t
LEFT JOIN "shop".INFORMATION_SCHEMA.VIEWS AS v
  ON v.table_schema = t.table_schema AND v.table_name = t.table_name
LEFT JOIN (
  SELECT "schema_name" AS of_schema, "name" AS of_name, "text" AS definition FROM TABLE(RESULT_SCAN(LAST_QUERY_ID(-2)))
  UNION ALL SELECT "schema_name" AS of_schema, "name" AS of_name, "text" AS definition FROM TABLE(RESULT_SCAN(LAST_QUERY_ID(-1)))
) AS s ON s.of_schema = t.table_schema AND s.of_name = t.table_name
WHERE t.table_schema IN ('sales', 'it''s \\ "new"')
ORDER BY t.table_schema, t.table_name;

-- columns
SELECT
  table_schema AS "schema",
  table_name AS "relation",
  column_name AS "name",
  CASE data_type WHEN 'NUMBER' THEN 'NUMBER(' || numeric_precision || ',' || numeric_scale || ')' WHEN 'TEXT' THEN COALESCE('VARCHAR(' || character_maximum_length || ')', 'VARCHAR') WHEN 'BINARY' THEN COALESCE('BINARY(' || character_octet_length || ')', 'BINARY') ELSE data_type END AS "type",
  is_nullable = 'NO' AS "is_not_null",
  column_default AS "default",
  NULL AS "generated",
  NULL AS "generated_kind",
  IFF(is_identity = 'YES', 'start ' || identity_start || ' increment ' || identity_increment, NULL) AS "identity",
  collation_name AS "collation",
  comment AS "comment"
FROM "shop".INFORMATION_SCHEMA.COLUMNS
WHERE table_schema IN ('sales', 'it''s \\ "new"')
ORDER BY table_schema, table_name, ordinal_position;

-- constraints
SHOW PRIMARY KEYS IN DATABASE "shop";
SHOW UNIQUE KEYS IN DATABASE "shop";
SHOW IMPORTED KEYS IN DATABASE "shop";
SELECT
  "schema_name" AS "schema",
  "table_name" AS "relation",
  IFF(STARTSWITH("constraint_name", 'SYS_CONSTRAINT_'), NULL, "constraint_name") AS "name",
  'primary_key' AS "type",
  TO_JSON(ARRAY_AGG("column_name") WITHIN GROUP (ORDER BY "key_sequence")) AS "columns",
  NULL AS "expression",
  NULL AS "ref_schema",
  NULL AS "ref_relation",
  NULL AS "ref_columns",
  NULL AS "on_update",
  NULL AS "on_delete",
  NULL AS "options"
FROM TABLE(RESULT_SCAN(LAST_QUERY_ID(-3)))
WHERE "schema_name" IN ('sales', 'it''s \\ "new"')
GROUP BY "schema_name", "table_name", "constraint_name"
UNION ALL
SELECT
  "schema_name" AS "schema",
  "table_name" AS "relation",
  IFF(STARTSWITH("constraint_name", 'SYS_CONSTRAINT_'), NULL, "constraint_name") AS "name",
  'unique' AS "type",
  TO_JSON(ARRAY_AGG("column_name") WITHIN GROUP (ORDER BY "key_sequence")) AS "columns",
  NULL AS "expression",
  NULL AS "ref_schema",
  NULL AS "ref_relation",
  NULL AS "ref_columns",
  NULL AS "on_update",
  NULL AS "on_delete",
  NULL AS "options"
FROM TABLE(RESULT_SCAN(LAST_QUERY_ID(-2)))
WHERE "schema_name" IN ('sales', 'it''s \\ "new"')
GROUP BY "schema_name", "table_name", "constraint_name"
UNION ALL
SELECT
  "fk_schema_name" AS "schema",
  "fk_table_name" AS "relation",
  IFF(STARTSWITH("fk_name", 'SYS_CONSTRAINT_'), NULL, "fk_name") AS "name",
  'foreign_key' AS "type",
  TO_JSON(ARRAY_AGG("fk_column_name") WITHIN GROUP (ORDER BY "key_sequence")) AS "columns",
  NULL AS "expression",
  "pk_schema_name" AS "ref_schema",
  "pk_table_name" AS "ref_relation",
  TO_JSON(ARRAY_AGG("pk_column_name") WITHIN GROUP (ORDER BY "key_sequence")) AS "ref_columns",
  LOWER("update_rule") AS "on_update",
  LOWER("delete_rule") AS "on_delete",
  NULL AS "options"
FROM TABLE(RESULT_SCAN(LAST_QUERY_ID(-1)))
WHERE "fk_schema_name" IN ('sales', 'it''s \\ "new"')
GROUP BY "fk_schema_name", "fk_table_name", "fk_name", "pk_schema_name", "pk_table_name", "update_rule", "delete_rule";
