-- One row per measurement, table and metric of the users' own: of a column, whose place is `ordinal`, or of the
-- table, where that is 0 and there is no `column_name`. `holds` is NULL where the metric has no threshold, or
-- could not be measured, which `reason` says.
CREATE TABLE IF NOT EXISTS recce_metadata.quality_metrics (
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
