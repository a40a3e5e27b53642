-- hand-written: DuckDB unnests a list of JSON values instead of JSON_ARRAY_ELEMENTS. The outer query selects only bare
-- columns; otherwise DuckDB computes the view for all runs before a join.
-- One row per scanned run, relation and index, except indexes of constraints. Key: run_id, unique_id, ordinal.
-- `definition` is the text of the catalog.
CREATE OR REPLACE VIEW recce_metadata.node_indexes AS
SELECT
  runs.run_id,
  runs.environment,
  place.unique_id,
  item.name,
  item.ordinal,
  item.index_name,
  item.is_unique,
  item.definition,
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
    content ->> 'name' AS index_name,
    CAST(content ->> 'unique' AS BOOLEAN) AS is_unique,
    content ->> 'definition' AS definition
  FROM (
    SELECT
      version_id, name, resource_type,
      UNNEST(CAST(properties -> 'indexes' AS JSON[])) AS content,
      GENERATE_SUBSCRIPTS(CAST(properties -> 'indexes' AS JSON[]), 1) AS ordinal
    FROM recce_metadata.store_node_versions
    WHERE resource_type IN ('table', 'view', 'materialized_view', 'external_table')
  ) AS exploded
) AS item ON item.version_id = place.version_id;
