-- One row per run, node and column that differs from the previous run of the same project and environment. Key: run_id,
-- unique_id, column_name.
-- `status` is 'added', 'removed', 'retyped', 'altered' or 'reordered'. `node_status` shows if a column was removed
-- alone or with its node.
-- Column names are compared case-insensitively, and only if both runs have them from the same source.
-- Columns of scanned relations are compared by exact name. They are 'altered' if a catalog property other than the type
-- differs: nullability, default, generation, identity, collation or comment.
CREATE OR REPLACE VIEW column_changes AS
SELECT
  run_id,
  previous_run_id,
  project_name,
  environment,
  run_at,
  unique_id,
  name,
  column_name,
  CASE
    WHEN previous_ordinal IS NULL THEN 'added'
    WHEN ordinal IS NULL THEN 'removed'
    WHEN column_type IS DISTINCT FROM previous_column_type THEN 'retyped'
    WHEN definition IS DISTINCT FROM previous_definition THEN 'altered'
    ELSE 'reordered'
  END AS status,
  column_type,
  previous_column_type,
  ordinal,
  previous_ordinal,
  node_status
FROM (
  SELECT
    change.run_id, change.previous_run_id, change.project_name, change.environment, change.run_at,
    change.unique_id, change.name, change.status AS node_status,
    pair.*
  FROM node_changes AS change
  CROSS JOIN LATERAL (
    SELECT
      COALESCE(
        MAX(CASE WHEN is_current THEN column_name END), MAX(CASE WHEN NOT is_current THEN column_name END)
      ) AS column_name,
      MAX(CASE WHEN is_current THEN column_type END) AS column_type,
      MAX(CASE WHEN NOT is_current THEN column_type END) AS previous_column_type,
      MAX(CASE WHEN is_current THEN definition END) AS definition,
      MAX(CASE WHEN NOT is_current THEN definition END) AS previous_definition,
      MAX(CASE WHEN is_current THEN ordinal END) AS ordinal,
      MAX(CASE WHEN NOT is_current THEN ordinal END) AS previous_ordinal
    FROM (
      SELECT
        side.is_current,
        item.content ->> 'name' AS column_name,
        item.content ->> 'type' AS column_type,
        CASE WHEN node.resource_type IN ('table', 'view', 'materialized_view', 'external_table') THEN item.content ->> 'name' ELSE LOWER(item.content ->> 'name') END AS column_key,
        CASE WHEN node.resource_type IN ('table', 'view', 'materialized_view', 'external_table') THEN CAST(item.content AS TEXT) END AS definition,
        item.ordinal
      FROM (VALUES (TRUE), (FALSE)) AS side(is_current)
      JOIN store_node_versions AS node
        ON node.version_id = CASE WHEN side.is_current THEN change.version_id ELSE change.previous_version_id END
      CROSS JOIN LATERAL JSON_ARRAY_ELEMENTS(CAST(node.columns AS JSON)) WITH ORDINALITY AS item(content, ordinal)
    ) AS sides
    GROUP BY column_key
  ) AS pair
  WHERE change.status IN ('added', 'removed') OR change.columns_changed
) AS pairs
WHERE
  ordinal IS DISTINCT FROM previous_ordinal
  OR column_type IS DISTINCT FROM previous_column_type
  OR definition IS DISTINCT FROM previous_definition;
