-- The nodes of a column graph that have no columns, and why.
SELECT
  place.unique_id,
  analysis.reason
FROM column_parts AS part
JOIN column_part_nodes AS place ON place.part_id = part.part_id
JOIN column_analyses AS analysis ON analysis.lineage_id = place.lineage_id
WHERE
  part.column_graph_id = :column_graph_id
  AND analysis.reason IS NOT NULL;
