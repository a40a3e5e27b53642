-- Parents of the nodes of one graph that the other lacks or has with another version.
SELECT part_nodes.unique_id, version_parents.parent_id
FROM store_graph_parts AS graph_parts
JOIN store_part_nodes AS part_nodes ON part_nodes.part_id = graph_parts.part_id
JOIN store_version_parents AS version_parents ON version_parents.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND NOT EXISTS (
    SELECT 1 FROM store_graph_parts AS shared
    WHERE shared.graph_id = :other_graph_id AND shared.part_id = graph_parts.part_id
  );
