-- One row per project and environment: its latest run, with every column of `runs`. A run whose time is after its
-- recording, because a clock is wrong, counts as run when it was recorded. A failed scan is never the latest
-- run.
CREATE OR REPLACE VIEW recce_metadata.latest_runs AS
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
  variables
FROM (
  SELECT
    runs.*,
    ROW_NUMBER() OVER (
      PARTITION BY project_name, environment
      ORDER BY LEAST(run_at, recorded_at) DESC NULLS FIRST, recorded_at DESC NULLS FIRST, run_id
    ) AS age
  FROM recce_metadata.store_runs AS runs
  WHERE
    status = 'complete'
) AS aged_runs
WHERE
  age = 1;
