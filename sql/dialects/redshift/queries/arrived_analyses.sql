-- Number of analyses of a column graph that came from outside: their ids contain an x.
SELECT
  COUNT(*) AS arrived
FROM recce_metadata.store_column_parts AS part
JOIN recce_metadata.store_column_part_nodes AS place
  ON place.part_id = part.part_id
WHERE
  part.column_graph_id = :column_graph_id AND place.lineage_id LIKE '%x%';
