-- Parents of the nodes of one of two graphs that the other lacks or has with another version, by graph.
WITH own_parts AS (
  SELECT graph_parts.part_id, MIN(graph_parts.graph_id) AS graph_id
  FROM store_graph_parts AS graph_parts
  WHERE graph_parts.graph_id IN (:graph_id, :other_graph_id)
  GROUP BY graph_parts.part_id
  HAVING COUNT(*) = 1
)
SELECT own_parts.graph_id, part_nodes.unique_id, version_parents.parent_id
FROM own_parts
JOIN store_part_nodes AS part_nodes ON part_nodes.part_id = own_parts.part_id
JOIN store_version_parents AS version_parents ON version_parents.version_id = part_nodes.version_id;
