-- hand-written: JSON_EACH is a join without LATERAL
-- One row per run, node and column that differs from the previous run of the same project and environment. Key: run_id,
-- unique_id, column_name.
-- `status` is 'added', 'removed', 'retyped', 'altered' or 'reordered'. `node_status` shows if a column was removed
-- alone or with its node.
-- Column names are compared case-insensitively, and only if both runs have them from the same source.
-- Columns of scanned relations are compared by exact name. They are 'altered' if a catalog property other than the type
-- differs: nullability, default, generation, identity, collation or comment.
DROP VIEW IF EXISTS column_changes;
CREATE VIEW column_changes AS
WITH sides AS (
  SELECT
    change.run_id, change.previous_run_id, change.project_name, change.environment, change.run_at,
    change.unique_id, change.name, change.status AS node_status, side.is_current,
    item.value ->> '$.name' AS column_name,
    item.value ->> '$.type' AS column_type,
    CASE WHEN node.resource_type IN ('table', 'view', 'materialized_view', 'external_table') THEN item.value ->> '$.name' ELSE LOWER(item.value ->> '$.name') END AS column_key,
    CASE WHEN node.resource_type IN ('table', 'view', 'materialized_view', 'external_table') THEN item.value END AS definition,
    item.key + 1 AS ordinal
  FROM node_changes AS change
  JOIN (SELECT TRUE AS is_current UNION ALL SELECT FALSE) AS side
  JOIN store_node_versions AS node
    ON node.version_id = CASE WHEN side.is_current THEN change.version_id ELSE change.previous_version_id END
  JOIN JSON_EACH(node.columns) AS item
  WHERE change.status IN ('added', 'removed') OR change.columns_changed
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
    run_id, previous_run_id, project_name, environment, run_at, unique_id, name, node_status,
    column_key
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
    WHEN column_type IS NOT previous_column_type THEN 'retyped'
    WHEN definition IS NOT previous_definition THEN 'altered'
    ELSE 'reordered'
  END AS status,
  column_type,
  previous_column_type,
  ordinal,
  previous_ordinal,
  node_status
FROM pairs
WHERE
  ordinal IS NOT previous_ordinal
  OR column_type IS NOT previous_column_type
  OR definition IS NOT previous_definition;
