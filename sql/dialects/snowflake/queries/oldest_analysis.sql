-- The id of an analysis of a column graph, of an earlier version before those of a later one.
SELECT
  MIN(place.lineage_id) AS lineage_id
FROM recce_metadata.column_parts AS part
JOIN recce_metadata.column_part_nodes AS place
  ON place.part_id = part.part_id
WHERE
  part.column_graph_id = :column_graph_id;
