-- Metrics and expectations that do not hold, or could not be measured, in the latest measurement of their table.
-- NULL disables a filter.
SELECT
  metric.project_name,
  metric.environment,
  metric.unique_id,
  latest.name,
  metric.column_name,
  metric.metric_name,
  metric.value_kind,
  metric.value,
  metric.threshold,
  metric.previous_value_number,
  metric.reason,
  metric.quality_run_id,
  metric.started_at
FROM metric_history AS metric
JOIN latest_table_quality AS latest
  ON latest.quality_run_id = metric.quality_run_id
  AND latest.unique_id = metric.unique_id
WHERE
  (
    NOT metric.holds OR metric.reason IS NOT NULL
  )
  AND (
    CAST(:project AS TEXT) IS NULL OR metric.project_name = CAST(:project AS TEXT)
  )
  AND (
    CAST(:environment AS TEXT) IS NULL
    OR metric.environment = CAST(:environment AS TEXT)
  )
ORDER BY
  metric.project_name NULLS LAST,
  metric.environment NULLS LAST,
  metric.unique_id NULLS LAST,
  metric.ordinal NULLS LAST,
  metric.place NULLS LAST;
