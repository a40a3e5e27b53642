-- hand-written: UNNEST of a JSON array instead of LATERAL
-- One row per scanned run, relation and index, except indexes of constraints. Key: run_id, unique_id, ordinal.
-- `definition` is the text of the catalog.
CREATE OR REPLACE VIEW recce_metadata.node_indexes AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  number + 1 AS ordinal,
  JSON_VALUE(content, '$.name') AS index_name,
  CAST(JSON_VALUE(content, '$.unique') AS BOOL) AS is_unique,
  JSON_VALUE(content, '$.definition') AS definition,
  node.resource_type,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id
CROSS JOIN UNNEST(JSON_QUERY_ARRAY(node.properties, '$.indexes')) AS content WITH OFFSET AS number
WHERE node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');
