-- Most frequent values of columns, for the tables in a newline-separated list, or all tables if it is NULL.
SELECT unique_id, ordinal, value, value_kind, value_count
FROM store_column_top_values
WHERE
  quality_run_id = :quality_run_id
  AND (
    CAST(:ids AS TEXT) IS NULL
    OR unique_id IN (SELECT wanted.unique_id FROM UNNEST(STRING_TO_ARRAY(CAST(:ids AS TEXT), CHR(10))) AS wanted(unique_id))
  )
ORDER BY unique_id, ordinal, place;
