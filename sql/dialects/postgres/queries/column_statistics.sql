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
  CAST(value_kinds AS TEXT) AS value_kinds,
  true_count,
  min_length,
  max_length,
  average_length
FROM recce_metadata.store_column_statistics
WHERE
  run_id = :run_id
  AND (
    CAST(:ids AS TEXT) IS NULL
    OR unique_id IN (
      SELECT
        wanted.unique_id
      FROM UNNEST(STRING_TO_ARRAY(CAST(:ids AS TEXT), CHR(  10))) AS wanted(unique_id)
    )
  )
ORDER BY
  unique_id,
  ordinal;
