-- Tier of the analyses of a column graph, and the reason if there are no columns, for the nodes in a newline-separated
-- list.
SELECT
  place.unique_id,
  analysis.tier,
  analysis.reason
FROM recce_metadata.store_column_parts AS part
JOIN recce_metadata.store_column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN recce_metadata.store_column_analyses AS analysis
  ON analysis.lineage_id = place.lineage_id
WHERE
  part.column_graph_id = :column_graph_id
  AND place.unique_id IN UNNEST(SPLIT(:ids, CHR(10)));
