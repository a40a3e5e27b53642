-- Which tables have the lowest score, and what was it before?
-- Asked by: a data owner who decides what to clean first. Needs a run of the command quality.
-- Answer: shop | relation.public.address | 61.5 points, 74.0 before | 603 rows
-- Topic: Data
SELECT
  latest.project_name,
  latest.unique_id,
  latest.score,
  history.previous_score,
  latest.row_count,
  latest.sampled_rows,
  latest.measured_at
FROM latest_table_quality AS latest
LEFT JOIN table_quality_history AS history
  ON history.quality_run_id = latest.quality_run_id AND history.unique_id = latest.unique_id
WHERE
  latest.environment = 'current' -- edit: the environment
  AND latest.score IS NOT NULL
ORDER BY latest.score, latest.project_name, latest.unique_id
LIMIT 50; -- edit: number of rows
