-- One row per measurement, table and user-defined metric, of a column (`ordinal` is its position) or of the table
-- (`ordinal` 0). A metric of the table has no `column_name`. `holds` is NULL if the metric has no threshold or could
-- not be measured; see `reason`.
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_metrics (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name STRING,
  metric_name STRING NOT NULL,
  value STRING,
  value_kind STRING,
  value_number DOUBLE,
  threshold STRING,
  holds BOOLEAN,
  reason STRING
)
CLUSTER BY (quality_run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
