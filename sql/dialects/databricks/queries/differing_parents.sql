-- The parents of the nodes of one graph that the other lacks or has in another version.
SELECT
  part_nodes.unique_id,
  version_parents.parent_id
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.version_parents
  ON version_parents.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.graph_parts AS shared
    WHERE
      shared.graph_id = :other_graph_id AND shared.part_id = graph_parts.part_id
  );
