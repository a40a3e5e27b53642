-- hand-written: DuckDB unnests a list of JSON values where PostgreSQL calls JSON_ARRAY_ELEMENTS.
-- One row per scanned run, relation and constraint of it, in the order: primary key, unique, foreign keys, checks.
-- Key: run_id, unique_id, ordinal. NOT NULL is a column's: `node_columns` has it. `column_names` is for people:
-- names joined by a comma.
CREATE OR REPLACE VIEW recce_metadata.node_constraints AS
SELECT
  run_id,
  environment,
  unique_id,
  name,
  ordinal,
  content ->> 'name' AS constraint_name,
  content ->> 'type' AS constraint_type,
  REPLACE(REPLACE(REPLACE(REPLACE(content ->> 'columns', '["', ''), '","', ', '), '", "', ', '), '"]', '') AS column_names,
  content -> 'columns' AS "columns",
  content ->> 'expression' AS expression,
  content ->> '$.references.relation' AS parent_id, -- one step: DuckDB 1 and 2 read two arrows in other orders
  content ->> 'on_update' AS on_update,
  content ->> 'on_delete' AS on_delete,
  content ->> 'options' AS options,
  resource_type,
  version_id
FROM (
  SELECT
    runs.run_id,
    runs.environment,
    place.unique_id,
    node.name,
    node.content,
    node.ordinal,
    node.resource_type,
    place.version_id
  FROM recce_metadata.runs
  JOIN recce_metadata.graph_nodes AS place ON place.graph_id = runs.graph_id
  JOIN (
    SELECT
      version_id, name, resource_type,
      UNNEST(CAST(properties -> 'constraints' AS JSON[])) AS content,
      GENERATE_SUBSCRIPTS(CAST(properties -> 'constraints' AS JSON[]), 1) AS ordinal
    FROM recce_metadata.node_versions
    WHERE resource_type IN ('table', 'view', 'materialized_view', 'external_table')
  ) AS node ON node.version_id = place.version_id
) AS item;
