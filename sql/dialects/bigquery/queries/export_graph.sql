-- Which part of a graph each node is in, and which version of the node it holds.
SELECT
  node.part_id,
  node.unique_id,
  node.version_id
FROM recce_metadata.graph_parts AS part
JOIN recce_metadata.part_nodes AS node
  ON node.part_id = part.part_id
WHERE
  part.graph_id = :graph_id;
