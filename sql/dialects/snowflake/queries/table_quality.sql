-- What a measurement found of tables: of the tables in a list of lines, or of all where that is NULL.
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
FROM recce_metadata.table_quality
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
