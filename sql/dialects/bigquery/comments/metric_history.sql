CREATE OR REPLACE VIEW recce_metadata.metric_history (
  quality_run_id OPTIONS (description = 'Id of the measurement'),
  run_id OPTIONS (description = 'Id of the run'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  started_at OPTIONS (description = 'Start of the measurement'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  ordinal OPTIONS (description = 'Position of the column; 0 for a metric of the table'),
  place OPTIONS (description = 'Rank, starting at 1'),
  column_name OPTIONS (description = 'Name of the column; NULL for a metric of the table'),
  metric_name OPTIONS (description = 'Name of the metric'),
  value OPTIONS (description = 'Value of the metric as a lossless text'),
  value_kind OPTIONS (description = 'Type of the text in value'),
  value_number OPTIONS (description = 'Value as a double'),
  previous_value_number OPTIONS (description = 'Value of the metric in the previous measurement'),
  value_change OPTIONS (description = 'Difference of the value from the previous measurement'),
  threshold OPTIONS (description = 'Threshold of the metric, as text'),
  holds OPTIONS (description = 'True if the threshold holds; NULL without a threshold or a measurement'),
  reason OPTIONS (description = 'Why the figure is missing; NULL if it exists'),
  previous_quality_run_id OPTIONS (description = 'Id of the previous measurement'),
  next_quality_run_id OPTIONS (description = 'Id of the next measurement; NULL for the newest')
)
OPTIONS (description = 'One row per measurement and user-defined metric, with the previous one in the same project and environment')
AS
