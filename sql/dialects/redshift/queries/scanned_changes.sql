-- Schemas, tables and views of a scan that differ from the previous scan of the same scope.
SELECT
  unique_id,
  resource_type,
  status,
  code_changed,
  columns_changed,
  description_changed
FROM recce_metadata.node_changes
WHERE
  run_id = :run_id
ORDER BY
  unique_id;
