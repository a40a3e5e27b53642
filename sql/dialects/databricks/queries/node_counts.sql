-- How many nodes of each resource type a graph has.
SELECT
  node_versions.resource_type,
  COUNT(*) AS nodes
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id AND node_versions.resource_type <> 'group'
GROUP BY
  node_versions.resource_type;
