-- hand-written: a SUPER array is unnested by naming it in FROM
-- One row per run, node and column: the array `nodes.columns`, exploded.
-- Key: run_id, unique_id, ordinal. `documented` is true if the project's YAML names the column. `columns_from` is
-- 'catalog' (all columns, with the warehouse's types) or 'manifest' (documented columns).
-- The columns after `meta` are only set for scanned relations. `generated_as` begins with 'stored: ' or 'virtual: '.
CREATE OR REPLACE VIEW recce_metadata.node_columns AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  node.name,
  CAST(number AS BIGINT) + 1 AS ordinal,
  CAST(content."name" AS VARCHAR(65535)) AS column_name,
  CAST(content."type" AS VARCHAR(65535)) AS column_type,
  COALESCE(CAST(content."description" AS VARCHAR(65535)), '') AS description,
  COALESCE(CAST(content.documented AS BOOLEAN), FALSE) AS documented,
  CAST(content."documented_type" AS VARCHAR(65535)) AS documented_type,
  content.tags AS tags,
  content.meta AS meta,
  CAST(content."not_null" AS BOOLEAN) AS not_null,
  CAST(content."default" AS VARCHAR(65535)) AS default_value,
  CAST(content."generated" AS VARCHAR(65535)) AS generated_as,
  CAST(content."identity" AS VARCHAR(65535)) AS identity_generation,
  CAST(content."collation" AS VARCHAR(65535)) AS collation_name,
  node.resource_type,
  node.columns_from,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id, node.columns AS content AT number;
