-- Which part of a column graph each node is in, and which analysis of its SQL it has.
SELECT
  node.part_id,
  node.unique_id,
  node.lineage_id
FROM recce_metadata.column_parts AS part
JOIN recce_metadata.column_part_nodes AS node
  ON node.part_id = part.part_id
WHERE
  part.column_graph_id = :column_graph_id;
