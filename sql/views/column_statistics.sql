-- One row per run, node and profiled column, in the order of the relation, from `record --stats profile`.
-- All rows of a node are written at once, never changed. Values are lossless strings, numbers also doubles;
-- `value_kinds` has the type of each string.
CREATE OR REPLACE VIEW column_statistics AS
SELECT
  run_id,
  unique_id,
  ordinal,
  column_name,
  column_type,
  profiled_at,
  row_count,
  not_null_count,
  distinct_count,
  is_approximate,
  min_value,
  max_value,
  average_value,
  median_value,
  min_number,
  max_number,
  average_number,
  median_number,
  value_kinds,
  true_count,
  min_length,
  max_length,
  average_length
FROM store_column_statistics;
