-- One row per table and view of the latest scan of each project and environment. Key: run_id, unique_id.
-- `resource_type` is table, view, materialized_view or external_table; `definition` is a view's SQL. Values
-- missing in the catalog are NULL; `row_estimate` is the warehouse's own estimate.
CREATE OR REPLACE VIEW recce_metadata.latest_tables AS
SELECT
  scan.project_name,
  scan.environment,
  scan.run_id,
  scan.run_at,
  place.unique_id,
  place.database_name,
  place.schema_name,
  node.name,
  node.resource_type,
  place.relation_name,
  node.properties ->> 'owner' AS owner,
  node.description,
  COALESCE(described.column_count, 0) AS column_count,
  COALESCE(constrained.primary_keys, 0) > 0 AS has_primary_key,
  COALESCE(constrained.foreign_keys, 0) AS foreign_key_count,
  COALESCE(indexed.index_count, 0) AS index_count,
  fact.row_estimate,
  fact.bytes,
  fact.created_at,
  fact.altered_at,
  node.properties ->> 'partition_key' AS partition_key,
  node.properties ->> 'partition_of' AS partition_of,
  node.raw_code AS definition,
  place.version_id
FROM recce_metadata.latest_scans AS scan
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = scan.graph_id
JOIN recce_metadata.store_node_versions AS node
  ON node.version_id = place.version_id
LEFT JOIN (
  SELECT
    run_id,
    unique_id,
    COUNT(*) AS column_count
  FROM recce_metadata.latest_columns
  GROUP BY
    run_id,
    unique_id
) AS described
  ON described.run_id = scan.run_id AND described.unique_id = place.unique_id
LEFT JOIN (
  SELECT
    run_id,
    unique_id,
    COUNT(CASE WHEN constraint_type = 'primary_key' THEN 1 END) AS primary_keys,
    COUNT(CASE WHEN constraint_type = 'foreign_key' THEN 1 END) AS foreign_keys
  FROM recce_metadata.latest_constraints
  GROUP BY
    run_id,
    unique_id
) AS constrained
  ON constrained.run_id = scan.run_id AND constrained.unique_id = place.unique_id
LEFT JOIN (
  SELECT
    run_id,
    unique_id,
    COUNT(*) AS index_count
  FROM recce_metadata.latest_indexes
  GROUP BY
    run_id,
    unique_id
) AS indexed
  ON indexed.run_id = scan.run_id AND indexed.unique_id = place.unique_id
LEFT JOIN (
  SELECT
    part.run_id,
    known.unique_id,
    known.row_estimate,
    known.bytes,
    known.created_at,
    known.altered_at
  FROM recce_metadata.store_fact_parts AS part
  JOIN recce_metadata.store_relation_facts AS known
    ON known.part_id = part.part_id
) AS fact
  ON fact.run_id = scan.run_id AND fact.unique_id = place.unique_id
WHERE
  node.resource_type IN ('table', 'view', 'materialized_view', 'external_table');
