CREATE OR REPLACE VIEW recce_metadata.quality_metrics (
  quality_run_id COMMENT 'Id of the measurement',
  unique_id COMMENT 'Unique id of the node',
  ordinal COMMENT 'Position of the column; 0 for a metric of the table',
  place COMMENT 'Rank, starting at 1',
  column_name COMMENT 'Name of the column; NULL for a metric of the table',
  metric_name COMMENT 'Name of the metric',
  value COMMENT 'Value of the metric as a lossless text',
  value_kind COMMENT 'Type of the text in value',
  value_number COMMENT 'Value as a double',
  threshold COMMENT 'Threshold of the metric, as text',
  holds COMMENT 'True if the threshold holds; NULL without a threshold or a measurement',
  reason COMMENT 'Why the metric could not be measured'
)
COMMENT = 'One row per measurement, table and user-defined metric, of a column (`ordinal` is its position) or of the table (`ordinal` 0)'
AS
