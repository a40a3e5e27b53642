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
FROM table_quality_history
WHERE
  (
    CAST(:project AS TEXT) IS NULL OR project_name = CAST(:project AS TEXT)
  )
  AND (
    CAST(:environment AS TEXT) IS NULL OR environment = CAST(:environment AS TEXT)
  )
  AND unique_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  )
ORDER BY
  started_at NULLS LAST,
  quality_run_id NULLS LAST;
