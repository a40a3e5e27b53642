-- Which metrics do not meet their threshold, or could not be measured, in the latest measurement of their table?
-- Asked by: the author of the thresholds. Needs a run of the command quality with metrics.
-- Answer: shop | relation.public.payment | amount | negative_amounts | 3, threshold '= 0' | 0 before
-- Topic: Data
SELECT
  metric.project_name,
  metric.unique_id,
  metric.column_name,
  metric.metric_name,
  metric.value,
  metric.threshold,
  metric.previous_value_number,
  metric.reason,
  metric.started_at
FROM metric_history AS metric
JOIN latest_table_quality AS latest
  ON latest.quality_run_id = metric.quality_run_id AND latest.unique_id = metric.unique_id
WHERE
  metric.environment = 'current' -- edit: the environment
  AND (NOT metric.holds OR metric.reason IS NOT NULL)
ORDER BY metric.project_name, metric.unique_id, metric.ordinal, metric.place;
