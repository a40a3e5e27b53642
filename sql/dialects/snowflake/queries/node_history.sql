-- Differences of one node from the previous run of a project and environment, newest first.
SELECT
  change.run_id,
  change.previous_run_id,
  LEAST_IGNORE_NULLS(change.run_at, run.recorded_at) AS run_at,
  previous.run_at AS previous_run_at,
  change.status,
  change.code_changed,
  change.compiled_changed,
  change.config_changed,
  change.columns_changed,
  change.description_changed,
  change.contract_changed,
  change.place_changed
FROM recce_metadata.node_changes AS change
JOIN recce_metadata.store_runs AS run
  ON run.run_id = change.run_id
LEFT JOIN recce_metadata.store_runs AS previous
  ON previous.run_id = change.previous_run_id
WHERE
  change.project_name = :project
  AND change.environment = :environment
  AND change.unique_id = :unique_id
ORDER BY
  LEAST_IGNORE_NULLS(change.run_at, run.recorded_at) DESC,
  change.run_id
LIMIT :most;
