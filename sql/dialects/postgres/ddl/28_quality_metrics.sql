-- One row per measurement, table and user-defined metric, of a column (`ordinal` is its position) or of the table
-- (`ordinal` 0). A metric of the table has no `column_name`. `holds` is NULL if the metric has no threshold or could
-- not be measured; see `reason`.
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_metrics (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name TEXT,
  metric_name TEXT NOT NULL,
  value TEXT,
  value_kind TEXT,
  value_number DOUBLE PRECISION,
  threshold TEXT,
  holds BOOLEAN,
  reason TEXT,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place)
);
