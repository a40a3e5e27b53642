-- Most frequent values of columns, for the tables in a newline-separated list, or all tables if it is NULL.
SELECT
  unique_id,
  ordinal,
  value,
  value_kind,
  value_count
FROM recce_metadata.store_column_top_values
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
  ordinal NULLS LAST,
  place NULLS LAST;
