-- Relations of the nodes of a graph, without nodes that have no relation.
SELECT
  part_nodes.unique_id,
  part_nodes.relation_name
FROM store_graph_parts AS graph_parts
JOIN store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
WHERE
  graph_parts.graph_id = :graph_id AND part_nodes.relation_name IS NOT NULL;
