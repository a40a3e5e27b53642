-- schemas
SELECT
  s.schema_name AS `name`,
  NULL AS `owner`,
  o.description AS `comment`,
  NULL AS `is_readable`
FROM `shop`.`region-eu`.INFORMATION_SCHEMA.SCHEMATA AS s
LEFT JOIN (
  SELECT schema_name, COALESCE(JSON_VALUE(option_value, '$'), option_value) AS description
  FROM `shop`.`region-eu`.INFORMATION_SCHEMA.SCHEMATA_OPTIONS WHERE option_name = 'description'
) AS o ON o.schema_name = s.schema_name
ORDER BY 1;

-- relations
SELECT
  t.table_schema AS `schema`,
  t.table_name AS `name`,
  CASE t.table_type WHEN 'VIEW' THEN 'view' WHEN 'MATERIALIZED VIEW' THEN 'materialized_view' WHEN 'EXTERNAL' THEN 'external_table' ELSE 'table' END AS `kind`,
  NULL AS `owner`,
  o.description AS `comment`,
  COALESCE(v.view_definition, IF(t.table_type = 'MATERIALIZED VIEW', t.ddl, NULL)) AS `definition`,
  IF(c.partitioned_by IS NULL, NULL, COALESCE(REGEXP_EXTRACT(t.ddl, r'\nPARTITION BY ([^\n]+)'), c.partitioned_by)) AS `partition_key`,
  NULL AS `partition_of_schema`,
  NULL AS `partition_of`,
  NULL AS `partition_bound`,
  NULL AS `partitions`,
  NULLIF(TO_JSON_STRING(JSON_STRIP_NULLS(JSON_OBJECT('cluster_by', c.clustered_by, 'expires', o.expires, 'labels', o.labels, 'partition_expiration_days', o.partition_expiration_days, 'require_partition_filter', o.require_partition_filter, 'uris', o.uris))), '{}') AS `options`,
  IF(t.table_type IN ('VIEW', 'EXTERNAL'), NULL, s.row_count) AS `row_estimate`,
  IF(t.table_type IN ('VIEW', 'EXTERNAL'), NULL, s.size_bytes) AS `bytes`,
  t.creation_time AS `created_at`,
  TIMESTAMP_MILLIS(s.last_modified_time) AS `altered_at`,
  NULL AS `is_readable`,
  NULL AS `reads`
FROM `shop`.`sales`.INFORMATION_SCHEMA.TABLES AS t
LEFT JOIN `shop`.`sales`.INFORMATION_SCHEMA.VIEWS AS v ON v.table_name = t.table_name
LEFT JOIN `shop`.`sales`.__TABLES__ AS s ON s.table_id = t.table_name
LEFT JOIN (
  SELECT
    table_name,
    MAX(IF(option_name = 'description', COALESCE(JSON_VALUE(option_value, '$'), option_value), NULL)) AS description,
    MAX(IF(option_name = 'expiration_timestamp', option_value, NULL)) AS expires,
    MAX(IF(option_name = 'labels', option_value, NULL)) AS labels,
    MAX(IF(option_name = 'partition_expiration_days', option_value, NULL)) AS partition_expiration_days,
    MAX(IF(option_name = 'require_partition_filter', option_value, NULL)) AS require_partition_filter,
    MAX(IF(option_name = 'uris', option_value, NULL)) AS uris
  FROM `shop`.`sales`.INFORMATION_SCHEMA.TABLE_OPTIONS GROUP BY table_name
) AS o ON o.table_name = t.table_name
LEFT JOIN (
  SELECT
    table_name,
    MAX(IF(is_partitioning_column = 'YES', column_name, NULL)) AS partitioned_by,
    STRING_AGG(IF(clustering_ordinal_position IS NULL, NULL, column_name), ', ' ORDER BY clustering_ordinal_position) AS clustered_by
  FROM `shop`.`sales`.INFORMATION_SCHEMA.COLUMNS GROUP BY table_name
) AS c ON c.table_name = t.table_name
ORDER BY t.table_schema, t.table_name;

-- columns
SELECT
  c.table_schema AS `schema`,
  c.table_name AS `relation`,
  c.column_name AS `name`,
  c.data_type AS `type`,
  c.is_nullable = 'NO' AS `is_not_null`,
  NULLIF(c.column_default, 'NULL') AS `default`,
  IF(c.is_generated = 'ALWAYS', c.generation_expression, NULL) AS `generated`,
  IF(c.is_generated = 'ALWAYS', 'stored', NULL) AS `generated_kind`,
  NULL AS `identity`,
  NULLIF(c.collation_name, 'NULL') AS `collation`,
  f.description AS `comment`
FROM `shop`.`sales`.INFORMATION_SCHEMA.COLUMNS AS c
LEFT JOIN `shop`.`sales`.INFORMATION_SCHEMA.COLUMN_FIELD_PATHS AS f
  ON f.table_name = c.table_name AND f.field_path = c.column_name
WHERE c.ordinal_position IS NOT NULL
ORDER BY c.table_schema, c.table_name, c.ordinal_position;

-- constraints
SELECT
  n.table_schema AS `schema`,
  n.table_name AS `relation`,
  IF(REGEXP_CONTAINS(n.constraint_name, r'[.](?:pk|fk)[$][0-9]*$'), NULL, REGEXP_EXTRACT(n.constraint_name, r'[^.]+$')) AS `name`,
  IF(n.constraint_type = 'PRIMARY KEY', 'primary_key', 'foreign_key') AS `type`,
  TO_JSON_STRING(ARRAY_AGG(k.column_name ORDER BY k.ordinal_position)) AS `columns`,
  NULL AS `expression`,
  u.table_schema AS `ref_schema`,
  u.table_name AS `ref_relation`,
  IF(u.table_name IS NULL, NULL, TO_JSON_STRING(ARRAY_AGG(COALESCE(p.column_name, u.column_name) ORDER BY k.ordinal_position))) AS `ref_columns`,
  NULL AS `on_update`,
  NULL AS `on_delete`,
  NULL AS `options`
FROM `shop`.`sales`.INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS n
JOIN `shop`.`sales`.INFORMATION_SCHEMA.KEY_COLUMN_USAGE AS k ON k.constraint_name = n.constraint_name
LEFT JOIN (
  SELECT constraint_name, MIN(table_schema) AS table_schema, MIN(table_name) AS table_name, MIN(column_name) AS column_name
  FROM `shop`.`sales`.INFORMATION_SCHEMA.CONSTRAINT_COLUMN_USAGE GROUP BY constraint_name
) AS u ON u.constraint_name = n.constraint_name AND n.constraint_type = 'FOREIGN KEY'
LEFT JOIN (
  SELECT w.table_schema, w.table_name, w.column_name, w.ordinal_position
  FROM `shop`.`sales`.INFORMATION_SCHEMA.KEY_COLUMN_USAGE AS w
  JOIN `shop`.`sales`.INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS m
    ON m.constraint_name = w.constraint_name AND m.constraint_type = 'PRIMARY KEY'
) AS p ON p.table_schema = u.table_schema AND p.table_name = u.table_name AND p.ordinal_position = k.position_in_unique_constraint
GROUP BY n.table_schema, n.table_name, n.constraint_name, n.constraint_type, u.table_schema, u.table_name;
