-- hand-written: UNNEST of a JSON array instead of LATERAL
-- One row per scanned run, relation and constraint of the relation, in the order: primary key, unique, foreign keys,
-- checks. Key: run_id, unique_id, ordinal.
-- NOT NULL belongs to a column: see `node_columns`. `column_names` is a string: names joined by commas.
CREATE OR REPLACE VIEW recce_metadata.node_constraints AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  number + 1 AS ordinal,
  JSON_VALUE(content, '$.name') AS constraint_name,
  JSON_VALUE(content, '$.type') AS constraint_type,
  REPLACE(REPLACE(REPLACE(REPLACE(NULLIF(TO_JSON_STRING(JSON_QUERY(content, '$.columns')), 'null'), '["', ''), '","', ', '), '", "', ', '), '"]', '') AS column_names,
  JSON_QUERY(content, '$.columns') AS columns,
  JSON_VALUE(content, '$.expression') AS expression,
  JSON_VALUE(content, '$.references.relation') AS parent_id,
  JSON_VALUE(content, '$.on_update') AS on_update,
  JSON_VALUE(content, '$.on_delete') AS on_delete,
  NULLIF(TO_JSON_STRING(JSON_QUERY(content, '$.options')), 'null') AS options,
  node.resource_type,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id
CROSS JOIN UNNEST(JSON_QUERY_ARRAY(node.properties, '$.constraints')) AS content WITH OFFSET AS number
WHERE node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');
