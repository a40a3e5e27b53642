CREATE OR REPLACE VIEW recce_metadata.top_value_history (
  quality_run_id COMMENT 'Id of the measurement',
  run_id COMMENT 'Id of the run',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  started_at COMMENT 'Start of the measurement',
  unique_id COMMENT 'Unique id of the node',
  ordinal COMMENT 'Position, starting at 1',
  column_name COMMENT 'Name of the column',
  place COMMENT 'Rank, starting at 1',
  value COMMENT 'Value as a lossless text; NULL for NULL',
  value_kind COMMENT 'Type of the text in value',
  value_count COMMENT 'Rows with the value',
  value_share COMMENT 'Share of the measured rows with the value'
)
COMMENT = 'One row per measurement, table, column and frequent value; `place` 1 is the most frequent'
AS
