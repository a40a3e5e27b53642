-- Latest scan of each project and environment, newest first, with the previous scan of the same scope, counts of its
-- objects, and counts of the changes since the previous scan.
SELECT
  scan.project_name,
  scan.environment,
  scan.run_id,
  scan.run_at,
  scan.adapter_type,
  scan.target_name,
  scan.target_database,
  scan.command,
  scan.graph_id,
  COALESCE(held.schema_count, 0) AS schema_count,
  COALESCE(held.table_count, 0) AS table_count,
  COALESCE(held.view_count, 0) AS view_count,
  held.row_estimate,
  held.bytes,
  COALESCE(held.without_rows, 0) AS without_rows,
  COALESCE(held.without_bytes, 0) AS without_bytes,
  step.previous_run_id,
  step.previous_run_at,
  COALESCE(changed.added, 0) AS added,
  COALESCE(changed.removed, 0) AS removed,
  COALESCE(changed.modified, 0) AS modified
FROM latest_scans AS scan
LEFT JOIN run_steps AS step ON step.run_id = scan.run_id
LEFT JOIN (
  SELECT
    one.run_id,
    COUNT(CASE WHEN node.resource_type = 'schema' THEN 1 END) AS schema_count,
    COUNT(CASE WHEN node.resource_type IN ('table', 'external_table') THEN 1 END) AS table_count,
    COUNT(CASE WHEN node.resource_type IN ('view', 'materialized_view') THEN 1 END) AS view_count,
    CAST(SUM(fact.row_estimate) AS BIGINT) AS row_estimate,
    CAST(SUM(fact.bytes) AS BIGINT) AS bytes,
    COUNT(
      CASE WHEN node.resource_type IN ('table', 'external_table') AND fact.row_estimate IS NULL THEN 1 END
    ) AS without_rows,
    COUNT(CASE WHEN node.resource_type IN ('table', 'external_table') AND fact.bytes IS NULL THEN 1 END) AS without_bytes
  FROM latest_scans AS one
  JOIN store_graph_nodes AS place ON place.graph_id = one.graph_id
  JOIN store_node_versions AS node ON node.version_id = place.version_id
  LEFT JOIN (
    SELECT part.run_id, known.unique_id, known.row_estimate, known.bytes
    FROM store_fact_parts AS part
    JOIN store_relation_facts AS known ON known.part_id = part.part_id
  ) AS fact ON fact.run_id = one.run_id AND fact.unique_id = place.unique_id
  GROUP BY one.run_id
) AS held ON held.run_id = scan.run_id
LEFT JOIN (
  SELECT
    change.run_id,
    COUNT(CASE WHEN change.status = 'added' THEN 1 END) AS added,
    COUNT(CASE WHEN change.status = 'removed' THEN 1 END) AS removed,
    COUNT(CASE WHEN change.status NOT IN ('added', 'removed') THEN 1 END) AS modified
  FROM latest_scans AS one
  JOIN node_changes AS change ON change.run_id = one.run_id
  GROUP BY change.run_id
) AS changed ON changed.run_id = scan.run_id
ORDER BY LEAST(scan.run_at, scan.recorded_at) DESC, scan.project_name, scan.environment;
