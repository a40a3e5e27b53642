-- One row per measurement, table and user-defined metric, of a column (`ordinal` is its position) or of the table
-- (`ordinal` 0). A metric of the table has no `column_name`. `holds` is NULL if the metric has no threshold or could
-- not be measured; see `reason`.
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_metrics (
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
