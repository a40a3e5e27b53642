-- Which tables grew most since the previous scan?
-- Asked by: the owner of the storage costs, or a DBA, when the nightly backup takes longer. Needs two scans.
-- Answer: shop | relation.public.events | 310 MB more | 1.9 GB | 2 400 000 rows more
-- Topic: Data
SELECT
  size.project_name,
  size.unique_id,
  size.byte_delta,
  size.bytes,
  size.row_delta,
  size.row_estimate,
  size.run_at,
  size.previous_run_id
FROM table_size_history AS size
JOIN latest_scans AS scan ON scan.run_id = size.run_id
WHERE
  size.environment = 'current' -- edit: the environment
  AND (size.byte_delta > 0 OR size.row_delta > 0)
ORDER BY
  COALESCE(size.byte_delta, 0) DESC,
  COALESCE(size.row_delta, 0) DESC,
  size.project_name,
  size.unique_id
LIMIT 50; -- edit: number of rows
