-- The nodes of a graph that may call macros which dbt's list does not have: in hooks, as an incremental
-- strategy, or in a branch that dbt takes at run time alone.
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
    REPLACE(TO_JSON(node_versions.config), ' ', '') LIKE '%hook":[{%'
    OR REPLACE(TO_JSON(node_versions.config), ' ', '') LIKE '%"incremental_strategy":"%'
    OR node_versions.raw_code LIKE '%is_incremental%'
  );
