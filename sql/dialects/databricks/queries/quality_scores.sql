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
    CAST(:project AS STRING) IS NULL OR project_name = CAST(:project AS STRING)
  )
  AND (
    CAST(:environment AS STRING) IS NULL
    OR environment = CAST(:environment AS STRING)
  )
  AND unique_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  )
ORDER BY
  started_at NULLS LAST,
  quality_run_id NULLS LAST;
