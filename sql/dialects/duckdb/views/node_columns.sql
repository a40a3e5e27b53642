-- hand-written: DuckDB unnests a list of JSON values where PostgreSQL calls JSON_ARRAY_ELEMENTS.
-- One row per run, node and column: the array `nodes.columns`, exploded.
-- Key: run_id, unique_id, ordinal. `documented` says whether the project's YAML names the column;
-- `columns_from` is 'catalog' (all columns, with the warehouse's types) or 'manifest' (documented ones).
CREATE OR REPLACE VIEW recce_metadata.node_columns AS
SELECT
  run_id,
  environment,
  unique_id,
  name,
  ordinal,
  content ->> 'name' AS column_name,
  content ->> 'type' AS column_type,
  COALESCE(content ->> 'description', '') AS description,
  COALESCE(CAST(content ->> 'documented' AS BOOLEAN), FALSE) AS documented,
  content ->> 'documented_type' AS documented_type,
  content -> 'tags' AS tags,
  content -> 'meta' AS meta,
  resource_type,
  columns_from,
  version_id
FROM (
  SELECT
    runs.run_id,
    runs.environment,
    place.unique_id,
    node.name,
    UNNEST(CAST(node."columns" AS JSON[])) AS content,
    GENERATE_SUBSCRIPTS(CAST(node."columns" AS JSON[]), 1) AS ordinal,
    node.resource_type,
    node.columns_from,
    place.version_id
  FROM recce_metadata.runs
  JOIN recce_metadata.graph_nodes AS place ON place.graph_id = runs.graph_id
  JOIN recce_metadata.node_versions AS node ON node.version_id = place.version_id
) AS item;
