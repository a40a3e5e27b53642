-- All nodes of a graph, with the columns for naming, drawing and selecting: no code, no columns.
SELECT
  part_nodes.unique_id,
  node_versions.name,
  node_versions.resource_type,
  node_versions.package_name,
  node_versions.path,
  CAST(node_versions.fqn AS TEXT) AS fqn,
  part_nodes.relation_name,
  node_versions.materialized,
  CAST(node_versions.tags AS TEXT) AS tags,
  node_versions.access,
  node_versions.group_name,
  node_versions.version,
  node_versions.source_name,
  CAST(node_versions.macros AS TEXT) AS macros
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id;
