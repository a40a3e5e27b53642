-- The parts of a graph whose nodes are not stored yet.
SELECT
  graph_parts.part_id
FROM recce_metadata.graph_parts
WHERE
  graph_parts.graph_id = :graph_id
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.part_nodes
    WHERE
      part_nodes.part_id = graph_parts.part_id
  );
