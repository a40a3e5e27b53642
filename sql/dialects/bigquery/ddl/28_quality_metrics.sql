-- One row per measurement, table and metric of the users' own: of a column, whose place is `ordinal`, or of the
-- table, where that is 0 and there is no `column_name`. `holds` is NULL where the metric has no threshold, or
-- could not be measured, which `reason` says.
CREATE TABLE IF NOT EXISTS recce_metadata.quality_metrics (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  place INT64 NOT NULL,
  column_name STRING,
  metric_name STRING NOT NULL,
  value STRING,
  value_kind STRING,
  value_number FLOAT64,
  threshold STRING,
  holds BOOL,
  reason STRING,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place) NOT ENFORCED
)
CLUSTER BY quality_run_id;
