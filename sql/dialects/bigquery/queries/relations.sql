-- Where the nodes of a graph live, for those that have a relation.
SELECT
  part_nodes.unique_id,
  part_nodes.relation_name
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id
WHERE
  graph_parts.graph_id = :graph_id AND part_nodes.relation_name IS NOT NULL;
