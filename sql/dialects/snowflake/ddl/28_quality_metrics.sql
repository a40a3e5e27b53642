-- One row per measurement, table and metric of the users' own: of a column, whose place is `ordinal`, or of the
-- table, where that is 0 and there is no `column_name`. `holds` is NULL where the metric has no threshold, or
-- could not be measured, which `reason` says.
CREATE TABLE IF NOT EXISTS recce_metadata.quality_metrics (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name VARCHAR,
  metric_name VARCHAR NOT NULL,
  value VARCHAR,
  value_kind VARCHAR,
  value_number DOUBLE,
  threshold VARCHAR,
  holds BOOLEAN,
  reason VARCHAR,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place)
);
