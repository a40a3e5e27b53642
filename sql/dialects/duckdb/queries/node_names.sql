-- What every node of a graph is called, without its code: for finding one, and for telling of many.
SELECT
  part_nodes.unique_id,
  node_versions.name,
  node_versions.resource_type,
  node_versions.version,
  node_versions.source_name,
  node_versions.materialized
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id;
