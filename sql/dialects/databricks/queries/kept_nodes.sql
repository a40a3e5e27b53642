-- SQL nodes of the runs in a newline-separated list, by project and environment, and whether dbt compiled them.
SELECT DISTINCT
  runs.project_name,
  runs.environment,
  part_nodes.unique_id,
  node_versions.code_hash,
  CASE WHEN node_versions.compiled_hash IS NULL THEN 0 ELSE 1 END AS is_compiled
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_parts AS graph_parts
  ON graph_parts.graph_id = runs.graph_id
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  runs.run_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  )
  AND runs.extractor = 'dbt'
  AND node_versions.resource_type IN ('model', 'snapshot', 'analysis', 'test')
  AND COALESCE(node_versions.language, 'sql') <> 'python';
