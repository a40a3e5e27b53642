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
  NULLIF(TO_JSON_STRING(warnings), 'null') AS warnings,
  NULLIF(TO_JSON_STRING(extraction), 'null') AS extraction,
  NULLIF(TO_JSON_STRING(variables), 'null') AS variables
FROM recce_metadata.store_runs
WHERE
  (
    CAST(:run_id AS STRING) IS NULL OR run_id = CAST(:run_id AS STRING)
  )
  AND (
    CAST(:run_id_prefix AS STRING) IS NULL
    OR STARTS_WITH(run_id, CAST(:run_id_prefix AS STRING))
  )
  AND (
    CAST(:project AS STRING) IS NULL OR project_name = CAST(:project AS STRING)
  )
  AND (
    CAST(:environment AS STRING) IS NULL
    OR environment = CAST(:environment AS STRING)
  )
  AND (
    CAST(:branch AS STRING) IS NULL OR branch = CAST(:branch AS STRING)
  )
  AND (
    CAST(:sha_prefix AS STRING) IS NULL
    OR STARTS_WITH(LOWER(git_sha), CAST(:sha_prefix AS STRING))
  )
  AND (
    CAST(:extractor AS STRING) IS NULL OR extractor = CAST(:extractor AS STRING)
  )
  AND (
    CAST(:without AS STRING) IS NULL
    OR NOT STARTS_WITH(environment, CAST(:without AS STRING))
  )
  AND (
    CAST(:status AS STRING) IS NULL OR status = CAST(:status AS STRING)
  )
  AND (
    CAST(:before AS TIMESTAMP) IS NULL
    OR LEAST(run_at, recorded_at) < CAST(:before AS TIMESTAMP)
  )
ORDER BY
  LEAST(run_at, recorded_at) DESC NULLS FIRST,
  recorded_at DESC NULLS FIRST,
  run_id NULLS LAST
LIMIT :most;
