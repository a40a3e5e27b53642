-- What the nodes of a graph that are in a list of lines are called.
SELECT
  part_nodes.unique_id,
  node_versions.name,
  node_versions.resource_type,
  node_versions.version
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND part_nodes.unique_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  );
