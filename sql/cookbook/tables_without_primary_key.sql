-- Which tables have no primary key?
-- Asked by: a DBA: without a key, rows cannot be identified or compared one by one. Needs a scan.
-- Answer: shop | public.audit_log | 12 columns | 4 812 000 rows | 1.2 GB
-- Topic: Columns and lineage
SELECT
  found.project_name,
  found.schema_name,
  found.name,
  found.column_count,
  found.row_estimate,
  found.bytes,
  found.owner
FROM latest_tables AS found
WHERE
  found.environment = 'current' -- edit: the environment
  AND found.resource_type = 'table'
  AND NOT found.has_primary_key
  AND found.partition_of IS NULL -- a partition has the key of its table
ORDER BY
  COALESCE(found.row_estimate, 0) DESC,
  found.project_name,
  found.schema_name,
  found.name;
