-- hand-written: LATERAL FLATTEN instead of JSON_ARRAY_ELEMENTS
-- One row per scanned run, relation and index, except indexes of constraints. Key: run_id, unique_id, ordinal.
-- `definition` is the text of the catalog.
CREATE OR REPLACE VIEW recce_metadata.node_indexes AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  item.index + 1 AS ordinal,
  CAST(GET_PATH(item.value, 'name') AS VARCHAR) AS index_name,
  CAST(CAST(GET_PATH(item.value, 'unique') AS VARCHAR) AS BOOLEAN) AS is_unique,
  CAST(GET_PATH(item.value, 'definition') AS VARCHAR) AS definition,
  node.resource_type,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id, LATERAL FLATTEN(INPUT => GET_PATH(node.properties, 'indexes')) AS item
WHERE node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');
