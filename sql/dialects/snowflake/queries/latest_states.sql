-- The latest run of each project and environment with each status, its previous run, and the number of these runs. As in
-- `run_steps`, scans are apart from other runs, and scans of another scope apart from each other. Workspaces are left
-- out: each is an environment of its own, and may be old.
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
  TO_JSON(variables) AS variables,
  previous_run_id,
  run_count
FROM (
  SELECT
    runs.*,
    LAG(run_id) OVER (
      PARTITION BY project_name, environment, status, CASE WHEN extractor = 'database' THEN COALESCE(command, 'scan') ELSE 'run' END
      ORDER BY LEAST_IGNORE_NULLS(run_at, recorded_at), recorded_at, run_id DESC
    ) AS previous_run_id,
    ROW_NUMBER() OVER (
      PARTITION BY project_name, environment, status, CASE WHEN extractor = 'database' THEN COALESCE(command, 'scan') ELSE 'run' END
      ORDER BY LEAST_IGNORE_NULLS(run_at, recorded_at) DESC, recorded_at DESC, run_id
    ) AS age,
    COUNT(*) OVER (
      PARTITION BY project_name, environment, status, CASE WHEN extractor = 'database' THEN COALESCE(command, 'scan') ELSE 'run' END
    ) AS run_count
  FROM recce_metadata.store_runs AS runs
  WHERE
    NOT STARTSWITH(environment, 'workspace:')
    AND (
      CAST(:project AS VARCHAR) IS NULL OR project_name = CAST(:project AS VARCHAR)
    )
) AS aged_runs
WHERE
  age = 1;
