-- Column quality of a measurement, for the tables in a newline-separated list, or all tables if it is NULL.
SELECT
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
  value_kinds AS value_kinds,
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
  quality_run_id = :quality_run_id
  AND (
    CAST(:ids AS STRING) IS NULL
    OR unique_id IN (
      SELECT
        EXPLODE(SPLIT(CAST(:ids AS STRING), CHR(10)))
    )
  )
ORDER BY
  unique_id NULLS LAST,
  ordinal NULLS LAST;
