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
FROM store_runs
WHERE
  (
    CAST(:run_id AS TEXT) IS NULL OR run_id = CAST(:run_id AS TEXT)
  )
  AND (
    CAST(:run_id_prefix AS TEXT) IS NULL
    OR SUBSTR(run_id, 1, LENGTH(CAST(:run_id_prefix AS TEXT))) = CAST(:run_id_prefix AS TEXT)
  )
  AND (
    CAST(:project AS TEXT) IS NULL OR project_name = CAST(:project AS TEXT)
  )
  AND (
    CAST(:environment AS TEXT) IS NULL OR environment = CAST(:environment AS TEXT)
  )
  AND (
    CAST(:branch AS TEXT) IS NULL OR branch = CAST(:branch AS TEXT)
  )
  AND (
    CAST(:sha_prefix AS TEXT) IS NULL
    OR SUBSTR(LOWER(git_sha), 1, LENGTH(CAST(:sha_prefix AS TEXT))) = CAST(:sha_prefix AS TEXT)
  )
  AND (
    CAST(:extractor AS TEXT) IS NULL OR extractor = CAST(:extractor AS TEXT)
  )
  AND (
    CAST(:without AS TEXT) IS NULL
    OR NOT SUBSTR(environment, 1, LENGTH(CAST(:without AS TEXT))) = CAST(:without AS TEXT)
  )
  AND (
    CAST(:status AS TEXT) IS NULL OR status = CAST(:status AS TEXT)
  )
  AND (
    CAST(:before AS TEXT) IS NULL
    OR MIN(COALESCE(run_at, recorded_at), COALESCE(recorded_at, run_at)) < CAST(:before AS TEXT)
  )
ORDER BY
  MIN(COALESCE(run_at, recorded_at), COALESCE(recorded_at, run_at)) DESC NULLS FIRST,
  recorded_at DESC NULLS FIRST,
  run_id NULLS LAST
LIMIT :most;
