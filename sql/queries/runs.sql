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
  CAST(warnings AS TEXT) AS warnings,
  CAST(extraction AS TEXT) AS extraction,
  CAST(variables AS TEXT) AS variables,
  run_started_at,
  run_completed_at,
  elapsed_time,
  full_refresh,
  CAST(args AS TEXT) AS args,
  CAST(job AS TEXT) AS job,
  commit_url,
  critical_path
FROM store_runs
WHERE
  (CAST(:run_id AS TEXT) IS NULL OR run_id = CAST(:run_id AS TEXT))
  AND (CAST(:run_id_prefix AS TEXT) IS NULL OR STARTS_WITH(run_id, CAST(:run_id_prefix AS TEXT)))
  AND (CAST(:project AS TEXT) IS NULL OR project_name = CAST(:project AS TEXT))
  AND (CAST(:environment AS TEXT) IS NULL OR environment = CAST(:environment AS TEXT))
  AND (CAST(:branch AS TEXT) IS NULL OR branch = CAST(:branch AS TEXT))
  AND (CAST(:sha_prefix AS TEXT) IS NULL OR STARTS_WITH(LOWER(git_sha), CAST(:sha_prefix AS TEXT)))
  AND (CAST(:extractor AS TEXT) IS NULL OR extractor = CAST(:extractor AS TEXT))
  AND (CAST(:without AS TEXT) IS NULL OR NOT STARTS_WITH(environment, CAST(:without AS TEXT)))
  AND (CAST(:status AS TEXT) IS NULL OR status = CAST(:status AS TEXT))
  AND (CAST(:before AS TIMESTAMPTZ) IS NULL OR LEAST(run_at, recorded_at) < CAST(:before AS TIMESTAMPTZ))
ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
LIMIT CAST(:most AS BIGINT);
