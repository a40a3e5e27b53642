-- Latest complete run of each project, and its latest scan; of one project if it is given. Runs of workspaces are left
-- out.
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
FROM (
  SELECT
    runs.*,
    ROW_NUMBER() OVER (
      PARTITION BY project_name, CASE WHEN extractor = 'database' THEN 'scan' ELSE 'run' END
      ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
    ) AS age
  FROM store_runs AS runs
  WHERE
    status = 'complete'
    AND NOT STARTS_WITH(environment, 'workspace:')
    AND (CAST(:project AS TEXT) IS NULL OR project_name = CAST(:project AS TEXT))
) AS aged_runs
WHERE age = 1
ORDER BY LEAST(run_at, recorded_at) DESC, run_id;
