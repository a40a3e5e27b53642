-- Measurements of tables in the order of time; NULL disables a filter, and `ids` is a newline-separated list of tables.
SELECT
  project_name,
  environment,
  unique_id,
  quality_run_id,
  run_id,
  started_at,
  row_count,
  sampled_rows,
  column_count,
  score
FROM recce_metadata.table_quality_history
WHERE
  (
    CAST(:project AS VARCHAR(65535)) IS NULL
    OR project_name = CAST(:project AS VARCHAR(65535))
  )
  AND (
    CAST(:environment AS VARCHAR(65535)) IS NULL
    OR environment = CAST(:environment AS VARCHAR(65535))
  )
  AND unique_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  )
ORDER BY
  started_at,
  quality_run_id;
