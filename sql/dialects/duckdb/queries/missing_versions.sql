-- Node versions of a graph that are not stored yet.
SELECT DISTINCT
  part_nodes.version_id
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
WHERE
  graph_parts.graph_id = :graph_id
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_node_versions AS node_versions
    WHERE
      node_versions.version_id = part_nodes.version_id
  );
