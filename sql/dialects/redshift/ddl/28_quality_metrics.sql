-- One row per measurement, table and user-defined metric, of a column (`ordinal` is its position) or of the table
-- (`ordinal` 0). A metric of the table has no `column_name`. `holds` is NULL if the metric has no threshold or could
-- not be measured; see `reason`.
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_metrics (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name VARCHAR(65535),
  metric_name VARCHAR(65535) NOT NULL,
  value VARCHAR(65535),
  value_kind VARCHAR(65535),
  value_number DOUBLE PRECISION,
  threshold VARCHAR(65535),
  holds BOOLEAN,
  reason VARCHAR(65535)
);
