-- hand-written: DISTINCT ON, because PostgreSQL estimates few rows for it, but many for a filter on ROW_NUMBER
-- One row per project and environment: its latest run, with every column of `runs`. A run whose time is after its
-- recording, because a clock is wrong, counts as run when it was recorded. A failed scan is never the latest
-- run.
CREATE OR REPLACE VIEW recce_metadata.latest_runs AS
SELECT DISTINCT ON (project_name, environment)
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
  CAST(warnings AS JSONB) AS warnings,
  CAST(extraction AS JSONB) AS extraction,
  CAST(variables AS JSONB) AS variables,
  run_started_at,
  run_completed_at,
  elapsed_time,
  full_refresh,
  CAST(args AS JSONB) AS args,
  job ->> 'orchestrator' AS orchestrator,
  job ->> 'job_id' AS job_id,
  job ->> 'job_name' AS job_name,
  job ->> 'job_run_id' AS job_run_id,
  job ->> 'job_run_url' AS job_run_url,
  job ->> 'cause' AS cause,
  job ->> 'dbt_user' AS dbt_user,
  commit_url
FROM recce_metadata.store_runs
WHERE
  status = 'complete'
ORDER BY
  project_name,
  environment,
  LEAST(run_at, recorded_at) DESC,
  recorded_at DESC,
  run_id;
