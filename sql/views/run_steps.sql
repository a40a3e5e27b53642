-- One row per run that has a previous run in the same project and environment: the step from the previous run to this
-- run. The views of changes are based on steps; a first run has no previous run.
-- The previous run of a scan of a live database is the previous scan of the same scope (`command`), because objects
-- outside a scope are not removed. A scan is never the previous run of a run that is not a scan. Outside `base`, the
-- previous run is one of the same branch: a branch is not compared with another one.
CREATE OR REPLACE VIEW run_steps AS
SELECT
  run_id,
  previous_run_id,
  project_name,
  environment,
  run_at,
  previous_run_at,
  graph_id,
  previous_graph_id,
  macro_set_id,
  previous_macro_set_id,
  node_count,
  dbt_version,
  previous_dbt_version,
  extractor
FROM (
  SELECT
    run_id,
    LAG(run_id) OVER in_time AS previous_run_id,
    project_name,
    environment,
    run_at,
    LAG(run_at) OVER in_time AS previous_run_at,
    graph_id,
    LAG(graph_id) OVER in_time AS previous_graph_id,
    macro_set_id,
    LAG(macro_set_id) OVER in_time AS previous_macro_set_id,
    node_count,
    dbt_version,
    LAG(dbt_version) OVER in_time AS previous_dbt_version,
    extractor
  FROM store_runs
  WHERE status = 'complete'
  WINDOW in_time AS (
    PARTITION BY
      project_name,
      environment,
      CASE WHEN environment = 'base' THEN NULL ELSE branch END,
      CASE WHEN extractor = 'database' THEN COALESCE(command, 'scan') ELSE 'run' END
    ORDER BY LEAST(run_at, recorded_at), recorded_at, run_id DESC
  )
) AS runs_in_time
WHERE previous_run_id IS NOT NULL;
