-- Nodes of a graph that may call macros missing from dbt's list: in hooks, as an incremental strategy, or in a branch
-- that dbt takes only at run time, or for another target. Nodes whose template sends statements, or reads others in
-- graph. Only those whose code or configuration is like a word.
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
    node_versions.raw_code LIKE :word
    OR CAST(node_versions.config AS TEXT) LIKE :word
  )
  AND (
    REPLACE(REPLACE(CAST(node_versions.config AS TEXT), ' ', ''), '[', '') LIKE '%hook":{%'
    OR REPLACE(REPLACE(CAST(node_versions.config AS TEXT), ' ', ''), '[', '') LIKE '%hook":"%'
    OR REPLACE(CAST(node_versions.config AS TEXT), ' ', '') LIKE '%"incremental_strategy":"%'
    OR node_versions.raw_code LIKE '%is_incremental%'
    OR node_versions.raw_code LIKE '%{%if %'
    OR node_versions.raw_code LIKE '%run_query%'
    OR node_versions.raw_code LIKE '%statement%'
    OR node_versions.raw_code LIKE '%graph%'
  );
