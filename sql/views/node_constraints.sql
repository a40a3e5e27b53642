-- One row per scanned run, relation and constraint of the relation, in the order: primary key, unique, foreign keys,
-- checks. Key: run_id, unique_id, ordinal.
-- NOT NULL belongs to a column: see `node_columns`. `column_names` is a string: names joined by commas.
CREATE OR REPLACE VIEW node_constraints AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  item.ordinal,
  item.content ->> 'name' AS constraint_name,
  item.content ->> 'type' AS constraint_type,
  REPLACE(REPLACE(REPLACE(REPLACE(item.content ->> 'columns', '["', ''), '","', ', '), '", "', ', '), '"]', '') AS column_names,
  item.content -> 'columns' AS columns,
  item.content ->> 'expression' AS expression,
  item.content -> 'references' ->> 'relation' AS parent_id,
  item.content ->> 'on_update' AS on_update,
  item.content ->> 'on_delete' AS on_delete,
  item.content ->> 'options' AS options,
  node.resource_type,
  place.version_id
FROM store_runs AS runs
JOIN store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN store_node_versions AS node ON node.version_id = place.version_id
CROSS JOIN LATERAL JSON_ARRAY_ELEMENTS(CAST(node.properties AS JSON) -> 'constraints') WITH ORDINALITY AS item(content, ordinal)
WHERE node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');
