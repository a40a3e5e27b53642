-- hand-written: UNNEST of a JSON array instead of LATERAL
-- One row per run, node and column: the array `nodes.columns`, exploded.
-- Key: run_id, unique_id, ordinal. `documented` is true if the project's YAML names the column. `columns_from` is
-- 'catalog' (all columns, with the warehouse's types) or 'manifest' (documented columns).
-- The columns after `meta` are only set for scanned relations. `generated_as` begins with 'stored: ' or 'virtual: '.
CREATE OR REPLACE VIEW recce_metadata.node_columns AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  number + 1 AS ordinal,
  JSON_VALUE(content, '$.name') AS column_name,
  JSON_VALUE(content, '$.type') AS column_type,
  COALESCE(JSON_VALUE(content, '$.description'), '') AS description,
  COALESCE(CAST(JSON_VALUE(content, '$.documented') AS BOOL), FALSE) AS documented,
  JSON_VALUE(content, '$.documented_type') AS documented_type,
  JSON_QUERY(content, '$.tags') AS tags,
  JSON_QUERY(content, '$.meta') AS meta,
  CAST(JSON_VALUE(content, '$.not_null') AS BOOL) AS not_null,
  JSON_VALUE(content, '$.default') AS default_value,
  JSON_VALUE(content, '$.generated') AS generated_as,
  JSON_VALUE(content, '$.identity') AS identity_generation,
  JSON_VALUE(content, '$.collation') AS collation_name,
  node.resource_type,
  node.columns_from,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id
CROSS JOIN UNNEST(JSON_QUERY_ARRAY(node.columns)) AS content WITH OFFSET AS number;
