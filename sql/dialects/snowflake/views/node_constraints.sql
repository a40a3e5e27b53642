-- hand-written: LATERAL FLATTEN instead of JSON_ARRAY_ELEMENTS
-- One row per scanned run, relation and constraint of the relation, in the order: primary key, unique, foreign keys,
-- checks. Key: run_id, unique_id, ordinal.
-- NOT NULL belongs to a column: see `node_columns`. `column_names` is a string: names joined by commas.
CREATE OR REPLACE VIEW recce_metadata.node_constraints AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  item.index + 1 AS ordinal,
  CAST(GET_PATH(item.value, 'name') AS VARCHAR) AS constraint_name,
  CAST(GET_PATH(item.value, 'type') AS VARCHAR) AS constraint_type,
  REPLACE(REPLACE(REPLACE(REPLACE(TO_JSON(GET_PATH(item.value, 'columns')), '["', ''), '","', ', '), '", "', ', '), '"]', '') AS column_names,
  GET_PATH(item.value, 'columns') AS columns,
  CAST(GET_PATH(item.value, 'expression') AS VARCHAR) AS expression,
  CAST(GET_PATH(item.value, 'references.relation') AS VARCHAR) AS parent_id,
  CAST(GET_PATH(item.value, 'on_update') AS VARCHAR) AS on_update,
  CAST(GET_PATH(item.value, 'on_delete') AS VARCHAR) AS on_delete,
  TO_JSON(GET_PATH(item.value, 'options')) AS options,
  node.resource_type,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id, LATERAL FLATTEN(INPUT => GET_PATH(node.properties, 'constraints')) AS item
WHERE node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');
