-- What the nodes of a column graph read from those in a list of lines.
SELECT
  place.unique_id,
  edge.column_name,
  edge.parent_id,
  edge.parent_column,
  edge.kind,
  edge.confidence
FROM recce_metadata.column_parts AS part
JOIN recce_metadata.column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN recce_metadata.column_edges AS edge
  ON edge.lineage_id = place.lineage_id
WHERE
  part.column_graph_id = :column_graph_id
  AND edge.parent_id IN (
    SELECT
      CAST(line.value AS VARCHAR)
    FROM TABLE(FLATTEN(INPUT => SPLIT(:ids, CHR(10)))) AS line
  );
