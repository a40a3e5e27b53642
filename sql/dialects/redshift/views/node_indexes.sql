-- hand-written: a SUPER array is unnested by naming it in FROM
-- One row per scanned run, relation and index, except indexes of constraints. Key: run_id, unique_id, ordinal.
-- `definition` is the text of the catalog.
CREATE OR REPLACE VIEW recce_metadata.node_indexes AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  CAST(number AS BIGINT) + 1 AS ordinal,
  CAST(content."name" AS VARCHAR(65535)) AS index_name,
  CAST(content."unique" AS BOOLEAN) AS is_unique,
  CAST(content."definition" AS VARCHAR(65535)) AS definition,
  node.resource_type,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id, node.properties.indexes AS content AT number
WHERE node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');
