-- hand-written: LATERAL FLATTEN instead of JSON_ARRAY_ELEMENTS
-- One row per run, node and column that differs from the previous run of the same project and environment. Key: run_id,
-- unique_id, column_name.
-- `status` is 'added', 'removed', 'retyped', 'altered' or 'reordered'. `node_status` shows if a column was removed
-- alone or with its node.
-- Column names are compared case-insensitively, and only if both runs have them from the same source.
-- Columns of scanned relations are compared by exact name. They are 'altered' if a catalog property other than the type
-- differs: nullability, default, generation, identity, collation or comment.
CREATE OR REPLACE VIEW recce_metadata.column_changes AS
WITH changed AS (
  SELECT
    change.run_id, change.previous_run_id, change.project_name, change.environment, change.run_at,
    change.unique_id, change.name, change.status AS node_status, side.is_current,
    CASE WHEN side.is_current THEN change.version_id ELSE change.previous_version_id END AS version_id
  FROM recce_metadata.node_changes AS change
  CROSS JOIN (VALUES (TRUE), (FALSE)) AS side(is_current)
  WHERE change.status IN ('added', 'removed') OR change.columns_changed
), sides AS (
  SELECT
    changed.run_id, changed.previous_run_id, changed.project_name, changed.environment, changed.run_at,
    changed.unique_id, changed.name, changed.node_status, changed.is_current,
    CAST(GET_PATH(item.value, 'name') AS VARCHAR) AS column_name,
    CAST(GET_PATH(item.value, 'type') AS VARCHAR) AS column_type,
    CASE WHEN node.resource_type IN ('table', 'view', 'materialized_view', 'external_table') THEN CAST(GET_PATH(item.value, 'name') AS VARCHAR) ELSE LOWER(CAST(GET_PATH(item.value, 'name') AS VARCHAR)) END AS column_key,
    CASE WHEN node.resource_type IN ('table', 'view', 'materialized_view', 'external_table') THEN TO_JSON(item.value) END AS definition,
    item.index + 1 AS ordinal
  FROM changed
  JOIN recce_metadata.store_node_versions AS node ON node.version_id = changed.version_id, LATERAL FLATTEN(INPUT => node.columns) AS item
), pairs AS (
  SELECT
    run_id, previous_run_id, project_name, environment, run_at, unique_id, name, node_status,
    COALESCE(
      MAX(CASE WHEN is_current THEN column_name END), MAX(CASE WHEN NOT is_current THEN column_name END)
    ) AS column_name,
    MAX(CASE WHEN is_current THEN column_type END) AS column_type,
    MAX(CASE WHEN NOT is_current THEN column_type END) AS previous_column_type,
    MAX(CASE WHEN is_current THEN definition END) AS definition,
    MAX(CASE WHEN NOT is_current THEN definition END) AS previous_definition,
    MAX(CASE WHEN is_current THEN ordinal END) AS ordinal,
    MAX(CASE WHEN NOT is_current THEN ordinal END) AS previous_ordinal
  FROM sides
  GROUP BY
    sides.run_id, sides.previous_run_id, sides.project_name, sides.environment, sides.run_at, sides.unique_id,
    sides.name, sides.node_status, sides.column_key
)
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
FROM pairs
WHERE
  ordinal IS DISTINCT FROM previous_ordinal
  OR column_type IS DISTINCT FROM previous_column_type
  OR definition IS DISTINCT FROM previous_definition;
