-- Seeds of a graph whose rows were not read: larger than dbt's limit of 1 MiB, and their files were not available.
SELECT
  part_nodes.unique_id
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND node_versions.resource_type = 'seed'
  AND node_versions.checksum_rule = 'path'
  AND node_versions.code_hash IS NULL;
