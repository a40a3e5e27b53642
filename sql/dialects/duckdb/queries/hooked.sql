-- The nodes of a graph whose configuration may name macros that dbt runs around their SQL: in hooks, or
-- as an incremental strategy.
SELECT
  part_nodes.unique_id
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND (
    REPLACE(CAST(node_versions.config AS TEXT), ' ', '') LIKE '%hook":[{%'
    OR REPLACE(CAST(node_versions.config AS TEXT), ' ', '') LIKE '%"incremental_strategy":"%'
  );
