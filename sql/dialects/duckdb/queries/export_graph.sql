-- Part and version of each node of a graph.
SELECT
  node.part_id,
  node.unique_id,
  node.version_id
FROM recce_metadata.store_graph_parts AS part
JOIN recce_metadata.store_part_nodes AS node
  ON node.part_id = part.part_id
WHERE
  part.graph_id = :graph_id;
