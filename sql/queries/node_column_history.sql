-- Differences of the columns of one node from the previous run of a project and environment, newest first.
SELECT
  change.run_id,
  change.previous_run_id,
  LEAST(change.run_at, run.recorded_at) AS run_at,
  change.column_name,
  change.status,
  change.column_type,
  change.previous_column_type,
  change.node_status
FROM column_changes AS change
JOIN store_runs AS run ON run.run_id = change.run_id
WHERE change.project_name = :project AND change.environment = :environment AND change.unique_id = :unique_id
ORDER BY LEAST(change.run_at, run.recorded_at) DESC, change.run_id, change.column_name
LIMIT CAST(:most AS BIGINT);
