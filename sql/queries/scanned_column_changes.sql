-- Columns that differ from the previous scan of the same scope, in tables and views of both scans.
SELECT
  unique_id,
  column_name,
  status,
  column_type,
  previous_column_type
FROM column_changes
WHERE run_id = :run_id AND node_status NOT IN ('added', 'removed')
ORDER BY unique_id, COALESCE(ordinal, previous_ordinal), column_name;
