-- Tables and views of a scan's graph with their properties and the number of their columns.
SELECT
  part_nodes.unique_id,
  part_nodes.schema_name,
  node.name,
  node.resource_type,
  node.description,
  COALESCE(described.column_count, 0) AS column_count,
  CAST(node.properties AS TEXT) AS properties
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node
  ON node.version_id = part_nodes.version_id
LEFT JOIN (
  SELECT
    unique_id,
    COUNT(*) AS column_count
  FROM recce_metadata.node_columns
  WHERE
    run_id = :run_id
  GROUP BY
    unique_id
) AS described
  ON described.unique_id = part_nodes.unique_id
WHERE
  graph_parts.graph_id = :graph_id
  AND node.resource_type IN ('table', 'view', 'materialized_view', 'external_table')
ORDER BY
  part_nodes.schema_name,
  node.name;
