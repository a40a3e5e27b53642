-- hand-written: a SUPER array is unnested by naming it in FROM
-- One row per scanned run, relation and constraint of the relation, in the order: primary key, unique, foreign keys,
-- checks. Key: run_id, unique_id, ordinal.
-- NOT NULL belongs to a column: see `node_columns`. `column_names` is a string: names joined by commas.
CREATE OR REPLACE VIEW recce_metadata.node_constraints AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  CAST(number AS BIGINT) + 1 AS ordinal,
  CAST(content."name" AS VARCHAR(65535)) AS constraint_name,
  CAST(content."type" AS VARCHAR(65535)) AS constraint_type,
  REPLACE(REPLACE(REPLACE(REPLACE(CASE WHEN content."columns" IS NOT NULL THEN JSON_SERIALIZE(content."columns") END, '["', ''), '","', ', '), '", "', ', '), '"]', '') AS column_names,
  content."columns" AS columns,
  CAST(content."expression" AS VARCHAR(65535)) AS expression,
  CAST(content."references"."relation" AS VARCHAR(65535)) AS parent_id,
  CAST(content."on_update" AS VARCHAR(65535)) AS on_update,
  CAST(content."on_delete" AS VARCHAR(65535)) AS on_delete,
  CASE WHEN content."options" IS NOT NULL THEN JSON_SERIALIZE(content."options") END AS options,
  node.resource_type,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id, node.properties.constraints AS content AT number
WHERE node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');
