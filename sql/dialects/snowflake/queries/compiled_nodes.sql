-- Nodes of a graph that dbt compiled.
SELECT
  part_nodes.unique_id
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id AND node_versions.compiled_hash IS NOT NULL;
