-- Parts of a column graph whose nodes are not stored yet.
SELECT
  column_parts.part_id
FROM recce_metadata.store_column_parts AS column_parts
WHERE
  column_parts.column_graph_id = :column_graph_id
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.store_column_part_nodes AS column_part_nodes
    WHERE
      column_part_nodes.part_id = column_parts.part_id
  );
