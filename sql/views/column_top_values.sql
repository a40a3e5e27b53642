-- One row per measurement, table, column and frequent value, the most frequent first. `value` is a lossless string;
-- `value_kind` has the type of the string. Both are NULL for NULL.
CREATE OR REPLACE VIEW column_top_values AS
SELECT
  quality_run_id,
  unique_id,
  ordinal,
  place,
  column_name,
  value,
  value_kind,
  value_count
FROM store_column_top_values;
