-- Names of the nodes of a graph with their columns, of the parts whose ids are from :first to before :last.
SELECT
  part_nodes.unique_id,
  node_versions.name,
  node_versions.resource_type,
  node_versions.version,
  CAST(node_versions."columns" AS TEXT) AS "columns"
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND graph_parts.part_id >= :first
  AND graph_parts.part_id < :last
  AND NOT node_versions.resource_type IN ('group', 'disabled');
