-- hand-written: POSEXPLODE instead of LATERAL
-- One row per scanned run, relation and constraint of the relation, in the order: primary key, unique, foreign keys,
-- checks. Key: run_id, unique_id, ordinal.
-- NOT NULL belongs to a column: see `node_columns`. `column_names` is a string: names joined by commas.
CREATE OR REPLACE VIEW recce_metadata.node_constraints AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  item.number + 1 AS ordinal,
  GET_JSON_OBJECT(item.content, '$.name') AS constraint_name,
  GET_JSON_OBJECT(item.content, '$.type') AS constraint_type,
  REPLACE(REPLACE(REPLACE(REPLACE(GET_JSON_OBJECT(item.content, '$.columns'), '["', ''), '","', ', '), '", "', ', '), '"]', '') AS column_names,
  GET_JSON_OBJECT(item.content, '$.columns') AS columns,
  GET_JSON_OBJECT(item.content, '$.expression') AS expression,
  GET_JSON_OBJECT(item.content, '$.references.relation') AS parent_id,
  GET_JSON_OBJECT(item.content, '$.on_update') AS on_update,
  GET_JSON_OBJECT(item.content, '$.on_delete') AS on_delete,
  GET_JSON_OBJECT(item.content, '$.options') AS options,
  node.resource_type,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id
LATERAL VIEW POSEXPLODE(FROM_JSON(GET_JSON_OBJECT(node.properties, '$.constraints'), 'ARRAY<STRING>')) item AS number, content
WHERE node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');
