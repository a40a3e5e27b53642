-- Schemas of a scan's graph.
SELECT
  part_nodes.unique_id,
  part_nodes.schema_name,
  node.properties ->> '$.owner' AS owner,
  node.description
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node
  ON node.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id AND node.resource_type = 'schema'
ORDER BY
  part_nodes.schema_name;
