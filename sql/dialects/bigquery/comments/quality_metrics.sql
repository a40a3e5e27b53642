CREATE OR REPLACE VIEW recce_metadata.quality_metrics (
  quality_run_id OPTIONS (description = 'Id of the measurement'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  ordinal OPTIONS (description = 'Position of the column; 0 for a metric of the table'),
  place OPTIONS (description = 'Rank, starting at 1'),
  column_name OPTIONS (description = 'Name of the column; NULL for a metric of the table'),
  metric_name OPTIONS (description = 'Name of the metric'),
  value OPTIONS (description = 'Value of the metric as a lossless text'),
  value_kind OPTIONS (description = 'Type of the text in value'),
  value_number OPTIONS (description = 'Value as a double'),
  threshold OPTIONS (description = 'Threshold of the metric, as text'),
  holds OPTIONS (description = 'True if the threshold holds; NULL without a threshold or a measurement'),
  reason OPTIONS (description = 'Why the metric could not be measured')
)
OPTIONS (description = 'One row per measurement, table and user-defined metric, of a column (`ordinal` is its position) or of the table (`ordinal` 0)')
AS
