-- One run for each pair of graphs whose changes are stored, whether one version of dbt wrote both, and
-- the id of the stored impacts.
SELECT
  MIN(step.run_id) AS run_id,
  stored.previous_graph_id,
  stored.graph_id,
  stored.same_dbt,
  stored.impacts_id
FROM recce_metadata.store_graph_steps AS stored
JOIN recce_metadata.run_steps AS step
  ON step.previous_graph_id = stored.previous_graph_id
  AND step.graph_id = stored.graph_id
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
GROUP BY
  stored.previous_graph_id,
  stored.graph_id,
  stored.same_dbt,
  stored.impacts_id
ORDER BY
  MIN(step.run_id);
/* Pairs of graphs with changes, but without the row that says that these are all. */
SELECT DISTINCT
  change.previous_graph_id,
  change.graph_id
FROM recce_metadata.store_graph_changes AS change
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_graph_steps AS stored
    WHERE
      stored.previous_graph_id = change.previous_graph_id
      AND stored.graph_id = change.graph_id
      AND stored.same_dbt = change.same_dbt
  );
