-- hand-written: JSON_EACH is a join without LATERAL
-- One row per run, node and column: the array `nodes.columns`, exploded.
-- Key: run_id, unique_id, ordinal. `documented` is true if the project's YAML names the column. `columns_from` is
-- 'catalog' (all columns, with the warehouse's types) or 'manifest' (documented columns).
-- The columns after `meta` are only set for scanned relations. `generated_as` begins with 'stored: ' or 'virtual: '.
DROP VIEW IF EXISTS node_columns;
CREATE VIEW node_columns AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  item.key + 1 AS ordinal,
  item.value ->> '$.name' AS column_name,
  item.value ->> '$.type' AS column_type,
  COALESCE(item.value ->> '$.description', '') AS description,
  COALESCE(item.value ->> '$.documented', FALSE) AS documented,
  item.value ->> '$.documented_type' AS documented_type,
  item.value -> '$.tags' AS tags,
  item.value -> '$.meta' AS meta,
  item.value ->> '$.not_null' AS not_null,
  item.value ->> '$.default' AS default_value,
  item.value ->> '$.generated' AS generated_as,
  item.value ->> '$.identity' AS identity_generation,
  item.value ->> '$.collation' AS collation_name,
  node.resource_type,
  node.columns_from,
  place.version_id
FROM store_runs AS runs
JOIN store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN store_node_versions AS node ON node.version_id = place.version_id
JOIN JSON_EACH(node.columns) AS item;
