CREATE OR REPLACE VIEW recce_metadata.column_top_values (
  quality_run_id COMMENT 'Id of the measurement',
  unique_id COMMENT 'Unique id of the node',
  ordinal COMMENT 'Position, starting at 1',
  place COMMENT 'Rank, starting at 1',
  column_name COMMENT 'Name of the column',
  value COMMENT 'Value as a lossless text; NULL for NULL',
  value_kind COMMENT 'Type of the text in value',
  value_count COMMENT 'Rows with the value'
)
COMMENT 'One row per measurement, table, column and frequent value, the most frequent first'
AS
