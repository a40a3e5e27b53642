-- Columns and edges that the analyses of a column graph found.
SELECT
  edge.lineage_id,
  edge.ordinal,
  edge.column_name,
  edge.parent_id,
  edge.parent_column,
  edge.kind,
  edge.expression,
  edge.confidence
FROM store_column_edges AS edge
WHERE
  edge.lineage_id IN (
    SELECT node.lineage_id
    FROM store_column_parts AS part
    JOIN store_column_part_nodes AS node ON node.part_id = part.part_id
    WHERE part.column_graph_id = :column_graph_id
  );
