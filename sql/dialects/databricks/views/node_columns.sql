-- hand-written: POSEXPLODE instead of LATERAL
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
  item.number + 1 AS ordinal,
  GET_JSON_OBJECT(item.content, '$.name') AS column_name,
  GET_JSON_OBJECT(item.content, '$.type') AS column_type,
  COALESCE(GET_JSON_OBJECT(item.content, '$.description'), '') AS description,
  COALESCE(CAST(GET_JSON_OBJECT(item.content, '$.documented') AS BOOLEAN), FALSE) AS documented,
  GET_JSON_OBJECT(item.content, '$.documented_type') AS documented_type,
  GET_JSON_OBJECT(item.content, '$.tags') AS tags,
  GET_JSON_OBJECT(item.content, '$.meta') AS meta,
  CAST(GET_JSON_OBJECT(item.content, '$.not_null') AS BOOLEAN) AS not_null,
  GET_JSON_OBJECT(item.content, '$.default') AS default_value,
  GET_JSON_OBJECT(item.content, '$.generated') AS generated_as,
  GET_JSON_OBJECT(item.content, '$.identity') AS identity_generation,
  GET_JSON_OBJECT(item.content, '$.collation') AS collation_name,
  node.resource_type,
  node.columns_from,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id
LATERAL VIEW POSEXPLODE(FROM_JSON(node.columns, 'ARRAY<STRING>')) item AS number, content;
