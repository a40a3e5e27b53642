-- Seeds of a graph whose rows nobody looked into: over 1 MiB to dbt, and their files were not at hand.
SELECT
  part_nodes.unique_id
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND node_versions.resource_type = 'seed'
  AND node_versions.checksum_rule = 'path'
  AND node_versions.code_hash IS NULL;
