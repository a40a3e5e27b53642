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
    CAST(:project AS VARCHAR) IS NULL OR project_name = CAST(:project AS VARCHAR)
  )
  AND (
    CAST(:environment AS VARCHAR) IS NULL
    OR environment = CAST(:environment AS VARCHAR)
  )
  AND unique_id IN (
    SELECT
      CAST(line.value AS VARCHAR)
    FROM TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line
  )
ORDER BY
  started_at,
  quality_run_id;
