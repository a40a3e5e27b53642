-- Nodes of a column graph that read a column of the nodes in a newline-separated list, with these nodes.
SELECT DISTINCT place.unique_id, edge.parent_id
FROM store_column_parts AS part
JOIN store_column_part_nodes AS place ON place.part_id = part.part_id
JOIN store_column_edges AS edge ON edge.lineage_id = place.lineage_id
WHERE
  part.column_graph_id = :column_graph_id
  AND edge.parent_id IN (SELECT wanted.unique_id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS wanted(unique_id));
