-- Which row counts differ by more than half from the previous count?
-- Asked by: an on-call engineer.
-- Answer: 2026-11-25 06:00 | model.shop.orders | 1,160 → 10 | -99 %
-- Topic: Data
-- `row_count_history` has the previous count of one node; a window reads those of all nodes once.
SELECT
  run_at,
  project_name,
  unique_id,
  previous_row_count,
  row_count,
  CAST(row_count - previous_row_count AS DOUBLE PRECISION) / NULLIF(previous_row_count, 0) AS row_change,
  run_id
FROM (
  SELECT
    run.run_at,
    run.project_name,
    counted.unique_id,
    counted.row_count,
    run.run_id,
    LAG(counted.row_count) OVER (
      PARTITION BY run.project_name, counted.unique_id ORDER BY run.run_at, run.run_id
    ) AS previous_row_count
  FROM runs AS run
  JOIN node_statistics AS counted ON counted.run_id = run.run_id
  WHERE
    run.environment = 'base' -- edit: the environment
    AND counted.row_count IS NOT NULL
) AS counts_in_time
WHERE ABS(row_count - previous_row_count) * 2 > previous_row_count -- edit: the factor
ORDER BY run_at DESC, project_name, unique_id;
