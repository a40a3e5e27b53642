-- Column profiles stored with a run, for the nodes in a newline-separated list, or all nodes if it is NULL.
SELECT
  unique_id,
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
  value_kinds AS value_kinds,
  true_count,
  min_length,
  max_length,
  average_length
FROM recce_metadata.store_column_statistics
WHERE
  run_id = :run_id
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
