-- Every node of a graph, with what naming, drawing and selecting need: no code, no columns.
SELECT
  part_nodes.unique_id,
  node_versions.name,
  node_versions.resource_type,
  node_versions.package_name,
  node_versions.path,
  TO_JSON_STRING(node_versions.fqn) AS fqn,
  part_nodes.relation_name,
  node_versions.materialized,
  TO_JSON_STRING(node_versions.tags) AS tags,
  node_versions.access,
  node_versions.group_name,
  node_versions.version,
  node_versions.source_name,
  TO_JSON_STRING(node_versions.macros) AS macros
FROM recce_metadata.graph_parts
JOIN recce_metadata.part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id;
