-- Number of nodes that differ from the previous run, by run and status, of runs whose changes are stored. `is_known` is
-- false for a run whose changes the view `node_changes` computes. `ids` is a newline-separated list of runs.
SELECT
  step.run_id,
  step.is_known,
  change.status,
  COUNT(change.unique_id) AS nodes
FROM (
  SELECT
    step.run_id,
    step.previous_graph_id,
    step.graph_id,
    step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version AS same_dbt,
    CASE
      WHEN step.graph_id = step.previous_graph_id OR stored.graph_id IS NOT NULL
      THEN 1
      ELSE 0
    END AS is_known
  FROM recce_metadata.run_steps AS step
  LEFT JOIN recce_metadata.store_graph_steps AS stored
    ON stored.previous_graph_id = step.previous_graph_id
    AND stored.graph_id = step.graph_id
    AND stored.same_dbt = (
      step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version
    )
  WHERE
    step.run_id IN UNNEST(SPLIT(:ids, CHR(10)))
) AS step
LEFT JOIN recce_metadata.store_graph_changes AS change
  ON change.previous_graph_id = step.previous_graph_id
  AND change.graph_id = step.graph_id
  AND change.same_dbt = step.same_dbt
GROUP BY
  step.run_id,
  step.is_known,
  change.status;
