-- hand-written: DuckDB unnests a list of JSON values instead of JSON_ARRAY_ELEMENTS. The outer query selects only bare
-- columns; otherwise DuckDB computes the view for all runs before a join.
-- One row per scanned run, relation and constraint of the relation, in the order: primary key, unique, foreign keys,
-- checks. Key: run_id, unique_id, ordinal.
-- NOT NULL belongs to a column: see `node_columns`. `column_names` is a string: names joined by commas.
CREATE OR REPLACE VIEW recce_metadata.node_constraints AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  item.name,
  item.ordinal,
  item.constraint_name,
  item.constraint_type,
  item.column_names,
  item."columns",
  item.expression,
  item.parent_id,
  item.on_update,
  item.on_delete,
  item.options,
  item.resource_type,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN (
  -- once per version, not per run
  SELECT
    version_id,
    name,
    resource_type,
    ordinal,
    content ->> 'name' AS constraint_name,
    content ->> 'type' AS constraint_type,
    REPLACE(REPLACE(REPLACE(REPLACE(content ->> 'columns', '["', ''), '","', ', '), '", "', ', '), '"]', '') AS column_names,
    content -> 'columns' AS "columns",
    content ->> 'expression' AS expression,
    content ->> '$.references.relation' AS parent_id, -- one path: DuckDB 1 and 2 evaluate two arrows in different orders
    content ->> 'on_update' AS on_update,
    content ->> 'on_delete' AS on_delete,
    content ->> 'options' AS options
  FROM (
    SELECT
      version_id, name, resource_type,
      UNNEST(CAST(properties -> 'constraints' AS JSON[])) AS content,
      GENERATE_SUBSCRIPTS(CAST(properties -> 'constraints' AS JSON[]), 1) AS ordinal
    FROM recce_metadata.store_node_versions
    WHERE resource_type IN ('table', 'view', 'materialized_view', 'external_table')
  ) AS exploded
) AS item ON item.version_id = place.version_id;
