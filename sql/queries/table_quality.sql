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
  CAST(notes AS TEXT) AS notes
FROM store_table_quality
WHERE
  quality_run_id = :quality_run_id
  AND (
    CAST(:ids AS TEXT) IS NULL
    OR unique_id IN (SELECT wanted.unique_id FROM UNNEST(STRING_TO_ARRAY(CAST(:ids AS TEXT), CHR(10))) AS wanted(unique_id))
  );
