-- hand-written: LATERAL FLATTEN instead of JSON_ARRAY_ELEMENTS
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
  item.index + 1 AS ordinal,
  CAST(GET_PATH(item.value, 'name') AS VARCHAR) AS column_name,
  CAST(GET_PATH(item.value, 'type') AS VARCHAR) AS column_type,
  COALESCE(CAST(GET_PATH(item.value, 'description') AS VARCHAR), '') AS description,
  COALESCE(CAST(CAST(GET_PATH(item.value, 'documented') AS VARCHAR) AS BOOLEAN), FALSE) AS documented,
  CAST(GET_PATH(item.value, 'documented_type') AS VARCHAR) AS documented_type,
  GET_PATH(item.value, 'tags') AS tags,
  GET_PATH(item.value, 'meta') AS meta,
  CAST(CAST(GET_PATH(item.value, 'not_null') AS VARCHAR) AS BOOLEAN) AS not_null,
  CAST(GET_PATH(item.value, 'default') AS VARCHAR) AS default_value,
  CAST(GET_PATH(item.value, 'generated') AS VARCHAR) AS generated_as,
  CAST(GET_PATH(item.value, 'identity') AS VARCHAR) AS identity_generation,
  CAST(GET_PATH(item.value, 'collation') AS VARCHAR) AS collation_name,
  node.resource_type,
  node.columns_from,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id, LATERAL FLATTEN(INPUT => node.columns) AS item;
