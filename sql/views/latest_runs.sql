-- One row per project and environment: its latest run, with every column of `runs`. A run whose time is after its
-- recording, because a clock is wrong, counts as run when it was recorded. A failed scan is never the latest
-- run.
CREATE OR REPLACE VIEW latest_runs AS
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
  warnings,
  extraction,
  variables,
  run_started_at,
  run_completed_at,
  elapsed_time,
  full_refresh,
  args,
  aged_runs.job ->> 'orchestrator' AS orchestrator,
  aged_runs.job ->> 'job_id' AS job_id,
  aged_runs.job ->> 'job_name' AS job_name,
  aged_runs.job ->> 'job_run_id' AS job_run_id,
  aged_runs.job ->> 'job_run_url' AS job_run_url,
  aged_runs.job ->> 'cause' AS cause,
  aged_runs.job ->> 'dbt_user' AS dbt_user,
  commit_url
FROM (
  SELECT
    runs.*,
    ROW_NUMBER() OVER (
      PARTITION BY project_name, environment
      ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
    ) AS age
  FROM store_runs AS runs
  WHERE status = 'complete'
) AS aged_runs
WHERE age = 1;
