-- Compiled nodes of the graphs in a newline-separated list, of which `codes` has the unique id and the hash of the code.
SELECT
  graph_parts.graph_id,
  part_nodes.unique_id,
  part_nodes.version_id
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id IN (
    SELECT
      chosen.graph_id
    FROM UNNEST(STRING_TO_ARRAY(:graph_ids, CHR(10))) AS chosen(graph_id)
  )
  AND node_versions.compiled_hash IS NOT NULL
  AND part_nodes.unique_id || ' ' || node_versions.code_hash IN (
    SELECT
      wanted.code
    FROM UNNEST(STRING_TO_ARRAY(:codes, CHR(10))) AS wanted(code)
  );
