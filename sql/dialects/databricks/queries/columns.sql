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
FROM recce_metadata.column_parts AS part
JOIN recce_metadata.column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN recce_metadata.column_analyses AS analysis
  ON analysis.lineage_id = place.lineage_id
LEFT JOIN recce_metadata.column_edges AS edge
  ON edge.lineage_id = place.lineage_id
WHERE
  part.column_graph_id = :column_graph_id
  AND (
    CAST(:ids AS STRING) IS NULL
    OR place.unique_id IN (
      SELECT
        EXPLODE(SPLIT(CAST(:ids AS STRING), CHR(10)))
    )
  );
