-- Columns and edges of a column graph.
-- A row without a kind is an analysis without columns.
SELECT
  place.unique_id,
  analysis.tier,
  analysis.reason,
  edge.ordinal,
  edge.column_name,
  edge.parent_id,
  edge.parent_column,
  edge.kind,
  edge.expression,
  edge.confidence
FROM recce_metadata.store_column_parts AS part
JOIN recce_metadata.store_column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN recce_metadata.store_column_analyses AS analysis
  ON analysis.lineage_id = place.lineage_id
LEFT JOIN recce_metadata.store_column_edges AS edge
  ON edge.lineage_id = place.lineage_id
WHERE
  part.column_graph_id = :column_graph_id;
