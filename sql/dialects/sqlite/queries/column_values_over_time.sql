-- Most frequent values of one column of one table in the measurements of a newline-separated list.
SELECT
  quality_run_id,
  value,
  value_kind,
  value_count
FROM store_column_top_values
WHERE
  unique_id = :unique_id
  AND column_name = :column_name
  AND quality_run_id IN (
    SELECT
      line.value
    FROM JSON_EACH(
      '[' || REPLACE(REPLACE(JSON_QUOTE(:run_ids), '\\', '\u005c'), '\n', '","') || ']'
    ) AS line
  )
ORDER BY
  quality_run_id NULLS LAST,
  place NULLS LAST;
