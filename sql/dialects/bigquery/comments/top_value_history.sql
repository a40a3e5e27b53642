CREATE OR REPLACE VIEW recce_metadata.top_value_history (
  quality_run_id OPTIONS (description = 'Id of the measurement'),
  run_id OPTIONS (description = 'Id of the run'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  started_at OPTIONS (description = 'Start of the measurement'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  ordinal OPTIONS (description = 'Position, starting at 1'),
  column_name OPTIONS (description = 'Name of the column'),
  place OPTIONS (description = 'Rank, starting at 1'),
  value OPTIONS (description = 'Value as a lossless text; NULL for NULL'),
  value_kind OPTIONS (description = 'Type of the text in value'),
  value_count OPTIONS (description = 'Rows with the value'),
  value_share OPTIONS (description = 'Share of the measured rows with the value')
)
OPTIONS (description = 'One row per measurement, table, column and frequent value; `place` 1 is the most frequent')
AS
