-- hand-written: DuckDB unnests a list of JSON values instead of JSON_ARRAY_ELEMENTS. The outer query selects only bare
-- columns; otherwise DuckDB computes the view for all runs before a join.
-- One row per run, node and column: the array `nodes.columns`, exploded.
-- Key: run_id, unique_id, ordinal. `documented` is true if the project's YAML names the column. `columns_from` is
-- 'catalog' (all columns, with the warehouse's types) or 'manifest' (documented columns).
-- The columns after `meta` are only set for scanned relations. `generated_as` begins with 'stored: ' or 'virtual: '.
CREATE OR REPLACE VIEW recce_metadata.node_columns AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  item.name,
  item.ordinal,
  item.column_name,
  item.column_type,
  item.description,
  item.documented,
  item.documented_type,
  item.tags,
  item.meta,
  item.not_null,
  item.default_value,
  item.generated_as,
  item.identity_generation,
  item.collation_name,
  item.resource_type,
  item.columns_from,
  place.version_id
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
JOIN (
  -- once per version, not per run
  SELECT
    version_id,
    name,
    resource_type,
    columns_from,
    ordinal,
    content ->> 'name' AS column_name,
    content ->> 'type' AS column_type,
    COALESCE(content ->> 'description', '') AS description,
    COALESCE(CAST(content ->> 'documented' AS BOOLEAN), FALSE) AS documented,
    content ->> 'documented_type' AS documented_type,
    content -> 'tags' AS tags,
    content -> 'meta' AS meta,
    CAST(content ->> 'not_null' AS BOOLEAN) AS not_null,
    content ->> 'default' AS default_value,
    content ->> 'generated' AS generated_as,
    content ->> 'identity' AS identity_generation,
    content ->> 'collation' AS collation_name
  FROM (
    SELECT
      version_id, name, resource_type, columns_from,
      UNNEST(CAST("columns" AS JSON[])) AS content,
      GENERATE_SUBSCRIPTS(CAST("columns" AS JSON[]), 1) AS ordinal
    FROM recce_metadata.store_node_versions
  ) AS exploded
) AS item ON item.version_id = place.version_id;
