-- Differences of one node from the previous run of a project and environment, newest first.
SELECT
  change.run_id,
  change.previous_run_id,
  MIN(COALESCE(change.run_at, run.recorded_at), COALESCE(run.recorded_at, change.run_at)) AS run_at,
  previous.run_at AS previous_run_at,
  change.status,
  change.code_changed,
  change.compiled_changed,
  change.config_changed,
  change.columns_changed,
  change.description_changed,
  change.contract_changed,
  change.place_changed
FROM node_changes AS change
JOIN store_runs AS run
  ON run.run_id = change.run_id
LEFT JOIN store_runs AS previous
  ON previous.run_id = change.previous_run_id
WHERE
  change.project_name = :project
  AND change.environment = :environment
  AND change.unique_id = :unique_id
ORDER BY
  MIN(COALESCE(change.run_at, run.recorded_at), COALESCE(run.recorded_at, change.run_at)) DESC NULLS FIRST,
  change.run_id NULLS LAST
LIMIT :most;
