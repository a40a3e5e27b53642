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
  TO_JSON(notes) AS notes
FROM recce_metadata.store_table_quality
WHERE
  quality_run_id = :quality_run_id
  AND (
    CAST(:ids AS VARCHAR) IS NULL
    OR unique_id IN (
      SELECT
        CAST(line.value AS VARCHAR)
      FROM TABLE(FLATTEN(INPUT => SPLIT(CAST(:ids AS VARCHAR), CHR(10)))) AS line
    )
  );
