-- One row per measurement and user-defined metric, with the previous one in the same project and environment.
-- Key: quality_run_id, unique_id, ordinal, place. For a table's metric, `column_name` is NULL and `ordinal` is 0.
-- `holds` is NULL if there is no threshold or nothing was measured; see `reason`.
CREATE OR REPLACE VIEW recce_metadata.metric_history AS
SELECT
  quality_run_id,
  run_id,
  project_name,
  environment,
  started_at,
  unique_id,
  ordinal,
  place,
  column_name,
  metric_name,
  value,
  value_kind,
  value_number,
  previous_value_number,
  value_number - previous_value_number AS value_change,
  threshold,
  holds,
  reason,
  previous_quality_run_id,
  next_quality_run_id
FROM (
  SELECT
    run.quality_run_id,
    run.run_id,
    run.project_name,
    run.environment,
    run.started_at,
    metric.unique_id,
    metric.ordinal,
    metric.place,
    metric.column_name,
    metric.metric_name,
    metric.value,
    metric.value_kind,
    metric.value_number,
    LAG(metric.value_number) OVER (
      PARTITION BY run.project_name, run.environment, metric.unique_id, COALESCE(metric.column_name, ''), metric.metric_name
      ORDER BY run.started_at, run.finished_at, run.quality_run_id DESC
    ) AS previous_value_number,
    metric.threshold,
    metric.holds,
    metric.reason,
    LAG(run.quality_run_id) OVER (
      PARTITION BY run.project_name, run.environment, metric.unique_id, COALESCE(metric.column_name, ''), metric.metric_name
      ORDER BY run.started_at, run.finished_at, run.quality_run_id DESC
    ) AS previous_quality_run_id,
    LEAD(run.quality_run_id) OVER (
      PARTITION BY run.project_name, run.environment, metric.unique_id, COALESCE(metric.column_name, ''), metric.metric_name
      ORDER BY run.started_at, run.finished_at, run.quality_run_id DESC
    ) AS next_quality_run_id
  FROM recce_metadata.store_quality_runs AS run
  JOIN recce_metadata.store_quality_metrics AS metric
    ON metric.quality_run_id = run.quality_run_id
) AS metrics_in_time;
