-- hand-written: JSON_EACH is a join without LATERAL
-- One row per scanned run, relation and constraint of the relation, in the order: primary key, unique, foreign keys,
-- checks. Key: run_id, unique_id, ordinal.
-- NOT NULL belongs to a column: see `node_columns`. `column_names` is a string: names joined by commas.
DROP VIEW IF EXISTS node_constraints;
CREATE VIEW node_constraints AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  item.key + 1 AS ordinal,
  item.value ->> '$.name' AS constraint_name,
  item.value ->> '$.type' AS constraint_type,
  REPLACE(REPLACE(REPLACE(REPLACE(item.value ->> '$.columns', '["', ''), '","', ', '), '", "', ', '), '"]', '') AS column_names,
  item.value -> '$.columns' AS columns,
  item.value ->> '$.expression' AS expression,
  item.value ->> '$.references.relation' AS parent_id,
  item.value ->> '$.on_update' AS on_update,
  item.value ->> '$.on_delete' AS on_delete,
  item.value ->> '$.options' AS options,
  node.resource_type,
  place.version_id
FROM store_runs AS runs
JOIN store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN store_node_versions AS node ON node.version_id = place.version_id
JOIN JSON_EACH(node.properties, '$.constraints') AS item
WHERE node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');
