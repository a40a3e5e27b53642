-- The raw code of those nodes of a graph that are in a list of lines.
SELECT part_nodes.unique_id, node_versions.raw_code
FROM graph_parts
JOIN part_nodes ON part_nodes.part_id = graph_parts.part_id
JOIN node_versions ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND part_nodes.unique_id IN (SELECT wanted.unique_id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS wanted(unique_id));
