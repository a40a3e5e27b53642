CREATE OR REPLACE VIEW recce_metadata.metric_history (
  quality_run_id COMMENT 'Id of the measurement',
  run_id COMMENT 'Id of the run',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  started_at COMMENT 'Start of the measurement',
  unique_id COMMENT 'Unique id of the node',
  ordinal COMMENT 'Position of the column; 0 for a metric of the table',
  place COMMENT 'Rank, starting at 1',
  column_name COMMENT 'Name of the column; NULL for a metric of the table',
  metric_name COMMENT 'Name of the metric',
  value COMMENT 'Value of the metric as a lossless text',
  value_kind COMMENT 'Type of the text in value',
  value_number COMMENT 'Value as a double',
  previous_value_number COMMENT 'Value of the metric in the previous measurement',
  value_change COMMENT 'Difference of the value from the previous measurement',
  threshold COMMENT 'Threshold of the metric, as text',
  holds COMMENT 'True if the threshold holds; NULL without a threshold or a measurement',
  reason COMMENT 'Why the figure is missing; NULL if it exists',
  previous_quality_run_id COMMENT 'Id of the previous measurement',
  next_quality_run_id COMMENT 'Id of the next measurement; NULL for the newest'
)
COMMENT = 'One row per measurement and user-defined metric, with the previous one in the same project and environment'
AS
