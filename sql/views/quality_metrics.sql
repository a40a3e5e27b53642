-- One row per measurement, table and user-defined metric, of a column (`ordinal` is its position) or of the table
-- (`ordinal` 0). A metric of the table has no `column_name`. `holds` is NULL if the metric has no threshold or could
-- not be measured; see `reason`.
CREATE OR REPLACE VIEW quality_metrics AS
SELECT
  quality_run_id,
  unique_id,
  ordinal,
  place,
  column_name,
  metric_name,
  value,
  value_kind,
  value_number,
  threshold,
  holds,
  reason
FROM store_quality_metrics;
