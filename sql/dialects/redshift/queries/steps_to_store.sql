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
        CASE
          WHEN step.dbt_version = step.previous_dbt_version
          OR (
            step.dbt_version IS NULL AND step.previous_dbt_version IS NULL
          )
          THEN TRUE
          ELSE FALSE
        END
      )
  )
GROUP BY
  step.previous_graph_id,
  step.graph_id,
  CASE
    WHEN step.dbt_version = step.previous_dbt_version
    OR (
      step.dbt_version IS NULL AND step.previous_dbt_version IS NULL
    )
    THEN TRUE
    ELSE FALSE
  END
ORDER BY
  MAX(step.run_at) DESC;
