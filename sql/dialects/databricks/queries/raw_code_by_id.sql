-- The raw code of those nodes of a graph that are in a list of lines.
SELECT
  part_nodes.unique_id,
  node_versions.raw_code
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND part_nodes.unique_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  );
