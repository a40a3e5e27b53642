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
FROM store_table_quality
WHERE
  quality_run_id = :quality_run_id
  AND (
    CAST(:ids AS TEXT) IS NULL
    OR unique_id IN (
      SELECT
        line.value
      FROM JSON_EACH(
        '[' || REPLACE(REPLACE(JSON_QUOTE(CAST(:ids AS TEXT)), '\\', '\u005c'), '\n', '","') || ']'
      ) AS line
    )
  );
