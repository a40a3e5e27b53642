-- The parts of a graph whose nodes are not stored yet.
SELECT graph_parts.part_id
FROM graph_parts
WHERE
  graph_parts.graph_id = :graph_id
  AND NOT EXISTS (SELECT 1 FROM part_nodes WHERE part_nodes.part_id = graph_parts.part_id);
