CREATE OR REPLACE VIEW recce_metadata.column_statistics (
  run_id OPTIONS (description = 'Id of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  ordinal OPTIONS (description = 'Position, starting at 1'),
  column_name OPTIONS (description = 'Name of the column'),
  column_type OPTIONS (description = 'Type of the column in the warehouse'),
  profiled_at OPTIONS (description = 'Time of the profile'),
  row_count OPTIONS (description = 'Number of rows'),
  not_null_count OPTIONS (description = 'Rows with a value'),
  distinct_count OPTIONS (description = 'Number of distinct values, an estimate if is_approximate is true'),
  is_approximate OPTIONS (description = 'True if distinct_count and the median are estimates'),
  min_value OPTIONS (description = 'Minimum as a lossless text'),
  max_value OPTIONS (description = 'Maximum as a lossless text'),
  average_value OPTIONS (description = 'Average as a lossless text'),
  median_value OPTIONS (description = 'Median as a lossless text'),
  min_number OPTIONS (description = 'Minimum as a double'),
  max_number OPTIONS (description = 'Maximum as a double'),
  average_number OPTIONS (description = 'Average as a double'),
  median_number OPTIONS (description = 'Median as a double'),
  value_kinds OPTIONS (description = 'Types of the texts of this row, as JSON'),
  true_count OPTIONS (description = 'Rows that are true'),
  min_length OPTIONS (description = 'Shortest length of texts in characters, of binary in bytes'),
  max_length OPTIONS (description = 'Longest length of texts in characters, of binary in bytes'),
  average_length OPTIONS (description = 'Average length of texts in characters, of binary in bytes')
)
OPTIONS (description = 'One row per run, node and profiled column, in the order of the relation, from `record --stats profile`')
AS
