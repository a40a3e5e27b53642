-- Number of nodes of a graph by resource type.
SELECT
  node_versions.resource_type,
  COUNT(*) AS nodes
FROM store_graph_parts AS graph_parts
JOIN store_part_nodes AS part_nodes ON part_nodes.part_id = graph_parts.part_id
JOIN store_node_versions AS node_versions ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND node_versions.resource_type NOT IN ('group', 'disabled')
GROUP BY node_versions.resource_type;
