-- Version and macros of nodes of a graph whose ids are in a newline-separated list.
SELECT
  part_nodes.unique_id,
  part_nodes.version_id,
  CAST(node_versions.macros AS TEXT) AS macros
FROM store_graph_parts AS graph_parts
JOIN store_part_nodes AS part_nodes ON part_nodes.part_id = graph_parts.part_id
JOIN store_node_versions AS node_versions ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND part_nodes.unique_id IN (SELECT wanted.unique_id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS wanted(unique_id));
