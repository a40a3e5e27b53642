-- Sizes of one relation in the scans of a project and environment, newest first, and the rows that were counted.
SELECT
  size.run_id,
  LEAST(scan.run_at, scan.recorded_at) AS run_at,
  size.row_estimate,
  size.bytes,
  counted.row_count
FROM recce_metadata.table_size_history AS size
JOIN recce_metadata.store_runs AS scan
  ON scan.run_id = size.run_id
LEFT JOIN recce_metadata.store_node_statistics AS counted
  ON counted.run_id = size.run_id AND counted.unique_id = size.unique_id
WHERE
  size.project_name = :project
  AND size.environment = :environment
  AND size.unique_id = :unique_id
ORDER BY
  LEAST(scan.run_at, scan.recorded_at) DESC NULLS FIRST,
  size.run_id NULLS LAST
LIMIT CAST(LEAST(:most, 2147483647) AS INT);
