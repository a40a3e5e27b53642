-- Differences of the columns of one node from the previous run of a project and environment, newest first.
SELECT
  run_id,
  previous_run_id,
  run_at,
  column_name,
  status,
  column_type,
  previous_column_type,
  node_status
FROM recce_metadata.column_changes
WHERE
  project_name = :project AND environment = :environment AND unique_id = :unique_id
ORDER BY
  run_at DESC,
  run_id,
  column_name
LIMIT CAST(:most AS BIGINT);
