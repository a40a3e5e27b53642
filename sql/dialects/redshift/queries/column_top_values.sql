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
    CAST(:ids AS VARCHAR(65535)) IS NULL
    OR unique_id IN (
      SELECT
        CAST(line AS VARCHAR(65535))
      FROM (
        SELECT
          SPLIT_TO_ARRAY(CAST(:ids AS VARCHAR(65535)), CHR(10)) AS lines
      ) AS split, split.lines AS line
    )
  )
ORDER BY
  unique_id,
  ordinal,
  place;
