-- Edges of a graph from the nodes whose ids are in a newline-separated list.
SELECT
  part_nodes.unique_id,
  version_parents.parent_id,
  version_parents.kind,
  version_parents.confidence
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_version_parents AS version_parents
  ON version_parents.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND part_nodes.unique_id IN UNNEST(SPLIT(:ids, CHR(10)));
