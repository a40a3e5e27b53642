-- hand-written: DuckDB unnests a list of JSON values where PostgreSQL calls JSON_ARRAY_ELEMENTS.
-- One row per run, node and column that differs from the run before it in the same project and
-- environment. Key: run_id, unique_id, column_name. `status` is 'added', 'removed', 'retyped' or
-- 'reordered'; `node_status` tells a column that went alone from one that went with its node. Columns
-- are compared by name whatever its case, and only where both runs know them from the same source.
CREATE OR REPLACE VIEW recce_metadata.column_changes AS
WITH versions AS NOT MATERIALIZED (
  SELECT
    change.run_id, change.previous_run_id, change.project_name, change.environment, change.run_at,
    change.unique_id, change.name, change.status AS node_status,
    node."columns" AS "columns",
    previous."columns" AS previous_columns
  FROM recce_metadata.node_changes AS change
  LEFT JOIN recce_metadata.node_versions AS node ON node.version_id = change.version_id
  LEFT JOIN recce_metadata.node_versions AS previous ON previous.version_id = change.previous_version_id
  WHERE change.status IN ('added', 'removed') OR change.columns_changed
), sides AS (
  SELECT
    versions.run_id, previous_run_id, project_name, environment, run_at, unique_id, name, node_status,
    item.content ->> 'name' AS column_name,
    item.content ->> 'type' AS column_type,
    item.ordinal AS ordinal,
    NULL AS previous_column_name,
    NULL AS previous_column_type,
    CAST(NULL AS BIGINT) AS previous_ordinal
  FROM versions
  CROSS JOIN LATERAL (
    SELECT
      UNNEST(CAST(versions."columns" AS JSON[])) AS content,
      GENERATE_SUBSCRIPTS(CAST(versions."columns" AS JSON[]), 1) AS ordinal
  ) AS item
  UNION ALL
  SELECT
    versions.run_id, previous_run_id, project_name, environment, run_at, unique_id, name, node_status,
    NULL,
    NULL,
    NULL,
    item.content ->> 'name',
    item.content ->> 'type',
    item.ordinal
  FROM versions
  CROSS JOIN LATERAL (
    SELECT
      UNNEST(CAST(versions.previous_columns AS JSON[])) AS content,
      GENERATE_SUBSCRIPTS(CAST(versions.previous_columns AS JSON[]), 1) AS ordinal
  ) AS item
), pairs AS (
  SELECT
    run_id, previous_run_id, project_name, environment, run_at, unique_id, name, node_status,
    COALESCE(MAX(column_name), MAX(previous_column_name)) AS column_name,
    MAX(column_type) AS column_type,
    MAX(previous_column_type) AS previous_column_type,
    MAX(ordinal) AS ordinal,
    MAX(previous_ordinal) AS previous_ordinal
  FROM sides
  GROUP BY
    run_id, previous_run_id, project_name, environment, run_at, unique_id, name, node_status,
    LOWER(COALESCE(column_name, previous_column_name))
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
  OR column_type IS DISTINCT FROM previous_column_type;
