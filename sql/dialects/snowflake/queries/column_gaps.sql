-- Nodes of a column graph without columns, and the reason.
SELECT
  place.unique_id,
  analysis.reason
FROM recce_metadata.store_column_parts AS part
JOIN recce_metadata.store_column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN recce_metadata.store_column_analyses AS analysis
  ON analysis.lineage_id = place.lineage_id
WHERE
  part.column_graph_id = :column_graph_id AND analysis.reason IS NOT NULL;
