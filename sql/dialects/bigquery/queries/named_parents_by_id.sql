-- Edges of a graph from the nodes whose ids are in a newline-separated list, with the parents' relations. A parent that is
-- not in the graph has no row in it.
SELECT
  part_nodes.unique_id,
  version_parents.parent_id,
  version_parents.kind,
  version_parents.confidence,
  parents.relation_name
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_version_parents AS version_parents
  ON version_parents.version_id = part_nodes.version_id
LEFT JOIN (
  SELECT
    parent_nodes.unique_id,
    parent_nodes.relation_name
  FROM recce_metadata.store_graph_parts AS parent_parts
  JOIN recce_metadata.store_part_nodes AS parent_nodes
    ON parent_nodes.part_id = parent_parts.part_id
  WHERE
    parent_parts.graph_id = :graph_id
) AS parents
  ON parents.unique_id = version_parents.parent_id
WHERE
  graph_parts.graph_id = :graph_id
  AND part_nodes.unique_id IN UNNEST(SPLIT(:ids, CHR(10)));
