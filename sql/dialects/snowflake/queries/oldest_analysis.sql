-- Id of an analysis of a column graph; ids of earlier versions sort first.
SELECT
  MIN(place.lineage_id) AS lineage_id
FROM recce_metadata.store_column_parts AS part
JOIN recce_metadata.store_column_part_nodes AS place
  ON place.part_id = part.part_id
WHERE
  part.column_graph_id = :column_graph_id;
