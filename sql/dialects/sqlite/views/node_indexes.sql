-- hand-written: JSON_EACH is a join without LATERAL
-- One row per scanned run, relation and index, except indexes of constraints. Key: run_id, unique_id, ordinal.
-- `definition` is the text of the catalog.
DROP VIEW IF EXISTS node_indexes;
CREATE VIEW node_indexes AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  item.key + 1 AS ordinal,
  item.value ->> '$.name' AS index_name,
  item.value ->> '$.unique' AS is_unique,
  item.value ->> '$.definition' AS definition,
  node.resource_type,
  place.version_id
FROM store_runs AS runs
JOIN store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN store_node_versions AS node ON node.version_id = place.version_id
JOIN JSON_EACH(node.properties, '$.indexes') AS item
WHERE node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');
