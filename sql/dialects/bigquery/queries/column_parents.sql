-- Edges of a column graph for the nodes in a newline-separated list, with the columns that they read.
SELECT
  place.unique_id,
  edge.column_name,
  edge.parent_id,
  edge.parent_column,
  edge.kind,
  edge.confidence
FROM recce_metadata.store_column_parts AS part
JOIN recce_metadata.store_column_part_nodes AS place
  ON place.part_id = part.part_id
JOIN recce_metadata.store_column_edges AS edge
  ON edge.lineage_id = place.lineage_id
WHERE
  part.column_graph_id = :column_graph_id
  AND edge.parent_id IS NOT NULL
  AND place.unique_id IN UNNEST(SPLIT(:ids, CHR(10)));
