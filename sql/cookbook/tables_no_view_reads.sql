-- Which tables does no view read, and no foreign key refer to?
-- Asked by: an engineer who cleans up a database: ask about the listed tables before you drop them.
-- Answer: shop | public.orders_backup_2019 | 8 columns | 120 000 rows | last altered 2019-03-02
-- Topic: Columns and lineage
-- A scan does not detect the programs that read a table.
SELECT
  found.project_name,
  found.schema_name,
  found.name,
  found.column_count,
  found.row_estimate,
  found.bytes,
  found.altered_at
FROM latest_tables AS found
LEFT JOIN lineage AS edge ON edge.run_id = found.run_id AND edge.parent_id = found.unique_id
LEFT JOIN foreign_keys AS link
  ON link.run_id = found.run_id AND link.parent_id = found.unique_id AND link.node_id <> found.unique_id
WHERE
  found.environment = 'current' -- edit: the environment
  AND found.resource_type IN ('table', 'external_table')
  AND found.partition_of IS NULL
  AND edge.node_id IS NULL
  AND link.node_id IS NULL
ORDER BY found.project_name, found.schema_name, found.name;
