-- Runs, newest first; NULL disables a filter. A time after the recording comes from a wrong clock and does not count.
SELECT
  run_id,
  run_at,
  project_name,
  environment,
  invocation_id,
  extractor,
  dbt_version,
  adapter_type,
  manifest_version,
  target_name,
  target_database,
  target_schema,
  git_sha,
  branch,
  git_dirty,
  pull_request,
  command,
  node_count,
  edge_count,
  recorded_at,
  recorder_version,
  graph_id,
  macro_set_id,
  column_graph_id,
  git_proven,
  status,
  reason,
  build_status,
  build_errors,
  build_failures,
  build_warnings,
  build_skipped,
  TO_JSON(warnings) AS warnings,
  TO_JSON(extraction) AS extraction,
  TO_JSON(variables) AS variables
FROM recce_metadata.store_runs
WHERE
  (
    CAST(:run_id AS VARCHAR) IS NULL OR run_id = CAST(:run_id AS VARCHAR)
  )
  AND (
    CAST(:run_id_prefix AS VARCHAR) IS NULL
    OR STARTSWITH(run_id, CAST(:run_id_prefix AS VARCHAR))
  )
  AND (
    CAST(:project AS VARCHAR) IS NULL OR project_name = CAST(:project AS VARCHAR)
  )
  AND (
    CAST(:environment AS VARCHAR) IS NULL
    OR environment = CAST(:environment AS VARCHAR)
  )
  AND (
    CAST(:branch AS VARCHAR) IS NULL OR branch = CAST(:branch AS VARCHAR)
  )
  AND (
    CAST(:sha_prefix AS VARCHAR) IS NULL
    OR STARTSWITH(LOWER(git_sha), CAST(:sha_prefix AS VARCHAR))
  )
  AND (
    CAST(:extractor AS VARCHAR) IS NULL OR extractor = CAST(:extractor AS VARCHAR)
  )
  AND (
    CAST(:without AS VARCHAR) IS NULL
    OR NOT STARTSWITH(environment, CAST(:without AS VARCHAR))
  )
  AND (
    CAST(:status AS VARCHAR) IS NULL OR status = CAST(:status AS VARCHAR)
  )
  AND (
    CAST(:before AS TIMESTAMPTZ) IS NULL
    OR LEAST_IGNORE_NULLS(run_at, recorded_at) < CAST(:before AS TIMESTAMPTZ)
  )
ORDER BY
  LEAST_IGNORE_NULLS(run_at, recorded_at) DESC,
  recorded_at DESC,
  run_id
LIMIT :most;
