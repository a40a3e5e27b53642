-- Columns that differ from the previous scan of the same scope, in tables and views of both scans.
SELECT
  unique_id,
  column_name,
  status,
  column_type,
  previous_column_type
FROM column_changes
WHERE
  run_id = :run_id AND NOT node_status IN ('added', 'removed')
ORDER BY
  unique_id NULLS LAST,
  COALESCE(ordinal, previous_ordinal) NULLS LAST,
  column_name NULLS LAST;
