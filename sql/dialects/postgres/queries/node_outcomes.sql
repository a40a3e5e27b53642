-- Results and row counts of one node in the runs of a project and environment, newest first.
SELECT
  runs.run_id,
  LEAST(runs.run_at, runs.recorded_at) AS run_at,
  result.status,
  result.seconds,
  result.rows_affected,
  result.failures,
  result.message,
  counted.row_count
FROM recce_metadata.store_runs AS runs
LEFT JOIN recce_metadata.store_run_results AS result
  ON result.run_id = runs.run_id AND result.unique_id = :unique_id
LEFT JOIN recce_metadata.store_node_statistics AS counted
  ON counted.run_id = runs.run_id AND counted.unique_id = :unique_id
WHERE
  runs.project_name = :project
  AND runs.environment = :environment
  AND (
    result.unique_id IS NOT NULL OR counted.row_count IS NOT NULL
  )
ORDER BY
  LEAST(runs.run_at, runs.recorded_at) DESC,
  runs.run_id
LIMIT CAST(:most AS BIGINT);
