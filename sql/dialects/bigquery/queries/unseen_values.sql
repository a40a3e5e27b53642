-- Nodes of a graph that may read variables whose values no artifact has: in templates that neither run compiled, and
-- in hooks and in statements that templates send.
SELECT
  part_nodes.unique_id
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND (
    node_versions.raw_code LIKE '%var%'
    OR TO_JSON_STRING(node_versions.config) LIKE '%var%'
    OR TO_JSON_STRING(node_versions.macros) LIKE '%.%'
  )
  AND (
    (
      node_versions.compiled_hash IS NULL
      AND node_versions.resource_type IN ('model', 'snapshot')
    )
    OR node_versions.resource_type = 'operation'
    OR node_versions.raw_code LIKE '%run_query%'
    OR node_versions.raw_code LIKE '%statement%'
    OR REPLACE(TO_JSON_STRING(node_versions.config), ' ', '') LIKE '%hook":[{%'
    OR REPLACE(TO_JSON_STRING(node_versions.config), ' ', '') LIKE '%hook":["%'
    OR REPLACE(TO_JSON_STRING(node_versions.config), ' ', '') LIKE '%hook":"%'
  );
