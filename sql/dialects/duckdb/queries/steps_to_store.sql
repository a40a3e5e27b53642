-- One run per pair of graphs whose changes are not stored yet, the newest first.
SELECT
  MIN(step.run_id)
FROM recce_metadata.run_steps AS step
WHERE
  step.graph_id <> step.previous_graph_id
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_graph_steps AS stored
    WHERE
      stored.previous_graph_id = step.previous_graph_id
      AND stored.graph_id = step.graph_id
      AND stored.same_dbt = (
        step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version
      )
  )
GROUP BY
  step.previous_graph_id,
  step.graph_id,
  step.dbt_version IS NOT DISTINCT FROM step.previous_dbt_version
ORDER BY
  MAX(step.run_at) DESC NULLS FIRST;
