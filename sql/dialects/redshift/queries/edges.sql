-- Every edge of a graph: a node and one that it reads.
SELECT
  part_nodes.unique_id,
  version_parents.parent_id,
  version_parents.kind,
  version_parents.confidence
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.version_parents
  ON version_parents.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id;
