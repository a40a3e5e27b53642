-- hand-written: a SUPER array is unnested by naming it in FROM
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
  CROSS JOIN (SELECT TRUE AS is_current UNION ALL SELECT FALSE) AS side
  WHERE change.status IN ('added', 'removed') OR change.columns_changed
), sides AS (
  SELECT
    changed.run_id, changed.previous_run_id, changed.project_name, changed.environment, changed.run_at,
    changed.unique_id, changed.name, changed.node_status, changed.is_current,
    CAST(content."name" AS VARCHAR(65535)) AS column_name,
    CAST(content."type" AS VARCHAR(65535)) AS column_type,
    CASE WHEN node.resource_type IN ('table', 'view', 'materialized_view', 'external_table') THEN CAST(content."name" AS VARCHAR(65535)) ELSE LOWER(CAST(content."name" AS VARCHAR(65535))) END AS column_key,
    CASE WHEN node.resource_type IN ('table', 'view', 'materialized_view', 'external_table') THEN JSON_SERIALIZE(content) END AS definition,
    CAST(number AS BIGINT) + 1 AS ordinal
  FROM changed
  JOIN recce_metadata.store_node_versions AS node ON node.version_id = changed.version_id, node.columns AS content AT number
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
    WHEN CASE WHEN column_type = previous_column_type OR (column_type IS NULL AND previous_column_type IS NULL) THEN FALSE ELSE TRUE END THEN 'retyped'
    WHEN CASE WHEN definition = previous_definition OR (definition IS NULL AND previous_definition IS NULL) THEN FALSE ELSE TRUE END THEN 'altered'
    ELSE 'reordered'
  END AS status,
  column_type,
  previous_column_type,
  ordinal,
  previous_ordinal,
  node_status
FROM pairs
WHERE
  CASE WHEN ordinal = previous_ordinal OR (ordinal IS NULL AND previous_ordinal IS NULL) THEN FALSE ELSE TRUE END
  OR CASE WHEN column_type = previous_column_type OR (column_type IS NULL AND previous_column_type IS NULL) THEN FALSE ELSE TRUE END
  OR CASE WHEN definition = previous_definition OR (definition IS NULL AND previous_definition IS NULL) THEN FALSE ELSE TRUE END;
