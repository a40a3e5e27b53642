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
    CAST(:ids AS VARCHAR(65535)) IS NULL
    OR unique_id IN (
      SELECT
        CAST(line AS VARCHAR(65535))
      FROM (
        SELECT
          SPLIT_TO_ARRAY(CAST(:ids AS VARCHAR(65535)), CHR(10)) AS lines
      ) AS split, split.lines AS line
    )
  );
