-- Number of nodes of a graph by resource type.
SELECT
  node_versions.resource_type,
  COUNT(*) AS nodes
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND NOT node_versions.resource_type IN ('group', 'disabled')
GROUP BY
  node_versions.resource_type;
