-- Quality of one column of one table in the measurements of a newline-separated list.
SELECT
  quality_run_id,
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
  CAST(value_kinds AS TEXT) AS value_kinds,
  true_count,
  min_length,
  max_length,
  average_length,
  blank_count,
  is_declared_unique,
  is_private,
  score,
  reason
FROM recce_metadata.store_column_quality
WHERE
  unique_id = :unique_id
  AND column_name = :column_name
  AND quality_run_id IN (
    SELECT
      wanted.run_id
    FROM UNNEST(STRING_TO_ARRAY(:run_ids, CHR(10))) AS wanted(run_id)
  );
