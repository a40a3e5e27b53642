-- Table quality of a measurement, for the tables in a newline-separated list, or all tables if it is NULL.
SELECT
  unique_id,
  name,
  relation,
  measured_at,
  row_count,
  sampled_rows,
  score,
  reason,
  notes AS notes
FROM recce_metadata.store_table_quality
WHERE
  quality_run_id = :quality_run_id
  AND (
    CAST(:ids AS STRING) IS NULL
    OR unique_id IN (
      SELECT
        EXPLODE(SPLIT(CAST(:ids AS STRING), CHR(10)))
    )
  );
