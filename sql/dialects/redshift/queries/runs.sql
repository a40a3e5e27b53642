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
  warnings AS warnings,
  extraction AS extraction,
  variables AS variables
FROM recce_metadata.store_runs
WHERE
  (
    CAST(:run_id AS VARCHAR(65535)) IS NULL
    OR run_id = CAST(:run_id AS VARCHAR(65535))
  )
  AND (
    CAST(:run_id_prefix AS VARCHAR(65535)) IS NULL
    OR LEFT(run_id, LENGTH(CAST(:run_id_prefix AS VARCHAR(65535)))) = CAST(:run_id_prefix AS VARCHAR(65535))
  )
  AND (
    CAST(:project AS VARCHAR(65535)) IS NULL
    OR project_name = CAST(:project AS VARCHAR(65535))
  )
  AND (
    CAST(:environment AS VARCHAR(65535)) IS NULL
    OR environment = CAST(:environment AS VARCHAR(65535))
  )
  AND (
    CAST(:branch AS VARCHAR(65535)) IS NULL
    OR branch = CAST(:branch AS VARCHAR(65535))
  )
  AND (
    CAST(:sha_prefix AS VARCHAR(65535)) IS NULL
    OR LEFT(LOWER(git_sha), LENGTH(CAST(:sha_prefix AS VARCHAR(65535)))) = CAST(:sha_prefix AS VARCHAR(65535))
  )
  AND (
    CAST(:extractor AS VARCHAR(65535)) IS NULL
    OR extractor = CAST(:extractor AS VARCHAR(65535))
  )
  AND (
    CAST(:without AS VARCHAR(65535)) IS NULL
    OR NOT LEFT(environment, LENGTH(CAST(:without AS VARCHAR(65535)))) = CAST(:without AS VARCHAR(65535))
  )
  AND (
    CAST(:status AS VARCHAR(65535)) IS NULL
    OR status = CAST(:status AS VARCHAR(65535))
  )
  AND (
    CAST(:before AS TIMESTAMP WITH TIME ZONE) IS NULL
    OR LEAST(run_at, recorded_at) < CAST(:before AS TIMESTAMP WITH TIME ZONE)
  )
ORDER BY
  LEAST(run_at, recorded_at) DESC,
  recorded_at DESC,
  run_id
LIMIT :most;
