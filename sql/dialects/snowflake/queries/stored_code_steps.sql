-- One run for each pair of compared codes, and its previous code.
SELECT
  MIN(runs.run_id) AS run_id,
  step.previous_graph_id,
  step.previous_macro_set_id,
  step.step_id
FROM recce_metadata.store_code_steps AS step
JOIN recce_metadata.store_runs AS runs
  ON runs.graph_id = step.graph_id AND runs.macro_set_id = step.macro_set_id
GROUP BY
  step.step_id,
  step.previous_graph_id,
  step.previous_macro_set_id
ORDER BY
  MIN(runs.run_id),
  step.step_id;
/* Nodes that changed in each pair of codes. */
SELECT
  step_id,
  unique_id,
  is_certain
FROM recce_metadata.store_code_changes;
