-- Parts of a graph whose nodes are not stored yet.
SELECT
  graph_parts.part_id
FROM recce_metadata.store_graph_parts AS graph_parts
WHERE
  graph_parts.graph_id = :graph_id
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_part_nodes AS part_nodes
    WHERE
      part_nodes.part_id = graph_parts.part_id
  );
