-- Stored differences of one node from the previous run of a project and environment, newest first.
-- `is_stored` is false for a pair of runs whose differences are not stored: the view `node_changes` computes them.
SELECT
  step.run_id,
  step.previous_run_id,
  LEAST(step.run_at, run.recorded_at) AS run_at,
  step.previous_run_at,
  change.status,
  change.code_changed,
  change.compiled_changed,
  change.config_changed,
  change.columns_changed,
  change.description_changed,
  change.contract_changed,
  change.place_changed,
  stored.graph_id IS NOT NULL AS is_stored
FROM run_steps AS step
JOIN store_runs AS run ON run.run_id = step.run_id
LEFT JOIN store_graph_steps AS stored
  ON stored.previous_graph_id = step.previous_graph_id
  AND stored.graph_id = step.graph_id
  AND stored.same_dbt = (step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version)
LEFT JOIN store_graph_changes AS change
  ON change.previous_graph_id = step.previous_graph_id
  AND change.graph_id = step.graph_id
  AND change.same_dbt = (step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version)
  AND change.unique_id = :unique_id
WHERE
  step.project_name = :project
  AND step.environment = :environment
  AND step.graph_id <> step.previous_graph_id
  AND (change.unique_id IS NOT NULL OR stored.graph_id IS NULL)
ORDER BY LEAST(step.run_at, run.recorded_at) DESC, step.run_id
LIMIT CAST(:most AS BIGINT);
