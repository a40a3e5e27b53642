-- One row per schema of the latest scan of each project and environment. Key: run_id, unique_id.
-- `table_count` counts tables and external tables, `view_count` views and materialized views. `row_estimate` and
-- `bytes` are sums of the relations that have these values in the catalog.
CREATE OR REPLACE VIEW recce_metadata.latest_schemas AS
SELECT
  scan.project_name,
  scan.environment,
  scan.run_id,
  scan.run_at,
  place.unique_id,
  place.database_name,
  place.schema_name,
  node.properties ->> '$.owner' AS owner,
  node.description,
  COALESCE(held.table_count, 0) AS table_count,
  COALESCE(held.view_count, 0) AS view_count,
  COALESCE(held.column_count, 0) AS column_count,
  held.row_estimate,
  held.bytes
FROM recce_metadata.latest_scans AS scan
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = scan.graph_id
JOIN recce_metadata.store_node_versions AS node
  ON node.version_id = place.version_id
LEFT JOIN (
  SELECT
    run_id,
    schema_name,
    COUNT(CASE WHEN resource_type IN ('table', 'external_table') THEN 1 END) AS table_count,
    COUNT(CASE WHEN resource_type IN ('view', 'materialized_view') THEN 1 END) AS view_count,
    CAST(SUM(column_count) AS BIGINT) AS column_count,
    CAST(SUM(row_estimate) AS BIGINT) AS row_estimate,
    CAST(SUM(bytes) AS BIGINT) AS bytes
  FROM recce_metadata.latest_tables
  GROUP BY
    run_id,
    schema_name
) AS held
  ON held.run_id = scan.run_id AND held.schema_name = place.schema_name
WHERE
  node.resource_type = 'schema';
