-- The step from the previous run to this run, and from this run to the next one. `is_known` is 1 if the changes are
-- stored, or there are none.
SELECT
  step.run_id,
  step.previous_run_id,
  step.previous_run_at,
  step.previous_graph_id,
  step.graph_id,
  step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version AS same_dbt,
  step.macro_set_id IS NOT DISTINCT FROM step.previous_macro_set_id AS same_macros,
  CASE WHEN step.graph_id = step.previous_graph_id OR stored.graph_id IS NOT NULL THEN 1 ELSE 0 END AS is_known
FROM run_steps AS step
LEFT JOIN store_graph_steps AS stored
  ON stored.previous_graph_id = step.previous_graph_id
  AND stored.graph_id = step.graph_id
  AND stored.same_dbt = (step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version)
WHERE step.run_id = :run_id OR step.previous_run_id = :run_id;
