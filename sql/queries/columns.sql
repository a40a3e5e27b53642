-- What a column graph says of its nodes; of those in a list of lines, or of all where that is NULL.
-- A row without a kind is an analysis that found no columns.
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
FROM column_parts AS part
JOIN column_part_nodes AS place ON place.part_id = part.part_id
JOIN column_analyses AS analysis ON analysis.lineage_id = place.lineage_id
LEFT JOIN column_edges AS edge ON edge.lineage_id = place.lineage_id
WHERE
  part.column_graph_id = :column_graph_id
  AND (
    CAST(:ids AS TEXT) IS NULL
    OR place.unique_id IN (SELECT wanted.unique_id FROM UNNEST(STRING_TO_ARRAY(CAST(:ids AS TEXT), CHR(10))) AS wanted(unique_id))
  );
