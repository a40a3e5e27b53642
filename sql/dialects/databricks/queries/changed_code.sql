-- Nodes of one graph that the other lacks, or has with other code. Compiled code counts if dbt compiled both. If it compiled
-- one, `is_certain` is false.
SELECT
  part_nodes.unique_id,
  CASE
    WHEN other.unique_id IS NULL
    THEN TRUE
    WHEN node_versions.code_hash IS DISTINCT FROM other.code_hash
    THEN TRUE
    WHEN node_versions.materialized IS DISTINCT FROM other.materialized
    THEN TRUE
    ELSE node_versions.compiled_hash IS NOT NULL AND other.compiled_hash IS NOT NULL
  END AS is_certain
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
LEFT JOIN (
  SELECT
    other_nodes.unique_id,
    other_versions.code_hash,
    other_versions.materialized,
    other_versions.compiled_hash
  FROM recce_metadata.store_graph_parts AS other_parts
  JOIN recce_metadata.store_part_nodes AS other_nodes
    ON other_nodes.part_id = other_parts.part_id
  JOIN recce_metadata.store_node_versions AS other_versions
    ON other_versions.version_id = other_nodes.version_id
  WHERE
    other_parts.graph_id = :other_graph_id
) AS other
  ON other.unique_id = part_nodes.unique_id
WHERE
  graph_parts.graph_id = :graph_id
  AND node_versions.resource_type IN ('model', 'seed', 'snapshot', 'test')
  AND (
    other.unique_id IS NULL
    OR node_versions.code_hash IS DISTINCT FROM other.code_hash
    OR node_versions.materialized IS DISTINCT FROM other.materialized
    OR node_versions.compiled_hash IS DISTINCT FROM other.compiled_hash
  );
