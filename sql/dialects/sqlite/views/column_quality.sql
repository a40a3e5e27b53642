-- One row per measurement, table and column, in the order of the relation. Values are lossless strings, numbers also
-- doubles; `value_kinds` has the type of each string. Figures are NULL if the column could not be measured; see
-- `reason`. Values are NULL if they are withheld.
DROP VIEW IF EXISTS column_quality;
CREATE VIEW column_quality AS
SELECT
  quality_run_id,
  unique_id,
  ordinal,
  column_name,
  column_type,
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
  average_length,
  blank_count,
  is_declared_unique,
  is_private,
  score,
  reason
FROM store_column_quality;
