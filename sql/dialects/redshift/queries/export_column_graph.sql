-- Part and analysis of each node of a column graph.
SELECT
  node.part_id,
  node.unique_id,
  node.lineage_id
FROM recce_metadata.store_column_parts AS part
JOIN recce_metadata.store_column_part_nodes AS node
  ON node.part_id = part.part_id
WHERE
  part.column_graph_id = :column_graph_id;
