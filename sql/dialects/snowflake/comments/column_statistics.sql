CREATE OR REPLACE VIEW recce_metadata.column_statistics (
  run_id COMMENT 'Id of the run',
  unique_id COMMENT 'Unique id of the node',
  ordinal COMMENT 'Position, starting at 1',
  column_name COMMENT 'Name of the column',
  column_type COMMENT 'Type of the column in the warehouse',
  profiled_at COMMENT 'Time of the profile',
  row_count COMMENT 'Number of rows',
  not_null_count COMMENT 'Rows with a value',
  distinct_count COMMENT 'Number of distinct values, an estimate if is_approximate is true',
  is_approximate COMMENT 'True if distinct_count and the median are estimates',
  min_value COMMENT 'Minimum as a lossless text',
  max_value COMMENT 'Maximum as a lossless text',
  average_value COMMENT 'Average as a lossless text',
  median_value COMMENT 'Median as a lossless text',
  min_number COMMENT 'Minimum as a double',
  max_number COMMENT 'Maximum as a double',
  average_number COMMENT 'Average as a double',
  median_number COMMENT 'Median as a double',
  value_kinds COMMENT 'Types of the texts of this row, as JSON',
  true_count COMMENT 'Rows that are true',
  min_length COMMENT 'Shortest length of texts in characters, of binary in bytes',
  max_length COMMENT 'Longest length of texts in characters, of binary in bytes',
  average_length COMMENT 'Average length of texts in characters, of binary in bytes'
)
COMMENT = 'One row per run, node and profiled column, in the order of the relation, from `record --stats profile`'
AS
