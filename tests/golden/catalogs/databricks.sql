-- schemas
SELECT
  schema_name AS `name`,
  schema_owner AS `owner`,
  comment AS `comment`,
  NULL AS `is_readable`
FROM `shop`.information_schema.schemata
ORDER BY 1;

-- relations
SELECT
  t.table_schema AS `schema`,
  t.table_name AS `name`,
  CASE WHEN t.table_type IN ('VIEW', 'METRIC_VIEW') THEN 'view' WHEN t.table_type = 'MATERIALIZED_VIEW' THEN 'materialized_view' WHEN t.table_type IN ('EXTERNAL', 'EXTERNAL_SHALLOW_CLONE', 'FOREIGN') THEN 'external_table' ELSE 'table' END AS `kind`,
  t.table_owner AS `owner`,
  t.comment AS `comment`,
  CASE WHEN t.table_type <> 'METRIC_VIEW' THEN v.view_definition END AS `definition`,
  p.partitioned_by AS `partition_key`,
  NULL AS `partition_of_schema`,
  NULL AS `partition_of`,
  NULL AS `partition_bound`,
  NULL AS `partitions`,
  NULLIF(TO_JSON(NAMED_STRUCT('format', CASE WHEN t.table_type NOT LIKE '%VIEW' THEN t.data_source_format END, 'location', CASE WHEN t.table_type LIKE 'EXTERNAL%' THEN t.storage_path END, 'type', CASE WHEN t.table_type NOT IN ('MANAGED', 'EXTERNAL', 'VIEW', 'MATERIALIZED_VIEW') THEN t.table_type END)), '{}') AS `options`,
  NULL AS `row_estimate`,
  NULL AS `bytes`,
  t.created AS `created_at`,
  t.last_altered AS `altered_at`,
  NULL AS `is_readable`,
  NULL AS `reads`
FROM `shop`.information_schema.tables AS t
LEFT JOIN `shop`.information_schema.views AS v
  ON v.table_schema = t.table_schema AND v.table_name = t.table_name
LEFT JOIN (
  SELECT table_schema, table_name, CONCAT_WS(', ', TRANSFORM(ARRAY_SORT(COLLECT_LIST(STRUCT(partition_index, column_name AS c))), x -> x.c)) AS partitioned_by
  FROM `shop`.information_schema.columns WHERE partition_index IS NOT NULL AND table_schema IN ('sales', 'it\'s \\ "new"')
  GROUP BY table_schema, table_name
) AS p ON p.table_schema = t.table_schema AND p.table_name = t.table_name
WHERE t.table_schema IN ('sales', 'it\'s \\ "new"')
ORDER BY t.table_schema, t.table_name;

-- columns
SELECT
  table_schema AS `schema`,
  table_name AS `relation`,
  column_name AS `name`,
  full_data_type AS `type`,
  is_nullable = 'NO' AS `is_not_null`,
  column_default AS `default`,
  generation_expression AS `generated`,
  CASE WHEN generation_expression IS NOT NULL THEN 'stored' END AS `generated_kind`,
  CASE WHEN is_identity = 'YES' THEN LOWER(COALESCE(identity_generation, 'always')) END AS `identity`,
  NULLIF(collation_name, 'UTF8_BINARY') AS `collation`,
  comment AS `comment`
FROM `shop`.information_schema.columns
WHERE table_schema IN ('sales', 'it\'s \\ "new"')
ORDER BY table_schema, table_name, ordinal_position;

-- constraints
SELECT
  n.table_schema AS `schema`,
  n.table_name AS `relation`,
  n.constraint_name AS `name`,
  LOWER(REPLACE(n.constraint_type, ' ', '_')) AS `type`,
  TO_JSON(TRANSFORM(ARRAY_SORT(COLLECT_LIST(STRUCT(k.ordinal_position, k.column_name AS c))), x -> x.c)) AS `columns`,
  MAX(h.check_clause) AS `expression`,
  u.table_schema AS `ref_schema`,
  u.table_name AS `ref_relation`,
  CASE WHEN u.table_name IS NOT NULL THEN TO_JSON(TRANSFORM(ARRAY_SORT(COLLECT_LIST(STRUCT(k.ordinal_position, u.column_name AS c))), x -> x.c)) END AS `ref_columns`,
  LOWER(r.update_rule) AS `on_update`,
  LOWER(r.delete_rule) AS `on_delete`,
  NULL AS `options`
FROM `shop`.information_schema.table_constraints AS n
LEFT JOIN `shop`.information_schema.key_column_usage AS k
  ON k.constraint_schema = n.constraint_schema AND k.constraint_name = n.constraint_name
    AND k.table_name = n.table_name
LEFT JOIN `shop`.information_schema.check_constraints AS h
  ON h.constraint_schema = n.constraint_schema AND h.constraint_name = n.constraint_name
    AND n.constraint_type = 'CHECK'
LEFT JOIN `shop`.information_schema.referential_constraints AS r
  ON r.constraint_schema = n.constraint_schema AND r.constraint_name = n.constraint_name
LEFT JOIN `shop`.information_schema.key_column_usage AS u
  ON u.constraint_catalog = r.unique_constraint_catalog AND u.constraint_schema = r.unique_constraint_schema
    AND u.constraint_name = r.unique_constraint_name AND u.ordinal_position = k.position_in_unique_constraint
WHERE n.table_schema IN ('sales', 'it\'s \\ "new"') AND n.constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY', 'CHECK')
GROUP BY n.table_schema, n.table_name, n.constraint_name, n.constraint_type, u.table_schema, u.table_name, r.update_rule, r.delete_rule;
