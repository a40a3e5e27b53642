-- Seeds of both graphs whose rows were not read: larger than dbt's limit of 1 MiB, and their files were not available.
SELECT
  part_nodes.unique_id
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id IN (:graph_id, :other_graph_id)
  AND node_versions.resource_type = 'seed'
  AND node_versions.checksum_rule = 'path'
  AND node_versions.code_hash IS NULL
GROUP BY
  part_nodes.unique_id
HAVING
  MAX(CASE WHEN graph_parts.graph_id = :graph_id THEN 1 ELSE 0 END) = 1
  AND MAX(CASE WHEN graph_parts.graph_id = :other_graph_id THEN 1 ELSE 0 END) = 1;
