-- The node versions of a graph that are not stored yet.
SELECT DISTINCT
  part_nodes.version_id
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id
WHERE
  graph_parts.graph_id = :graph_id
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.node_versions
    WHERE
      node_versions.version_id = part_nodes.version_id
  );
