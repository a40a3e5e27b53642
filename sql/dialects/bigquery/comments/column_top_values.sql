CREATE OR REPLACE VIEW recce_metadata.column_top_values (
  quality_run_id OPTIONS (description = 'Id of the measurement'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  ordinal OPTIONS (description = 'Position, starting at 1'),
  place OPTIONS (description = 'Rank, starting at 1'),
  column_name OPTIONS (description = 'Name of the column'),
  value OPTIONS (description = 'Value as a lossless text; NULL for NULL'),
  value_kind OPTIONS (description = 'Type of the text in value'),
  value_count OPTIONS (description = 'Rows with the value')
)
OPTIONS (description = 'One row per measurement, table, column and frequent value, the most frequent first')
AS
