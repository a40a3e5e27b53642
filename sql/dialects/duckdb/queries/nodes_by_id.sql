-- Nodes of a graph whose ids are in a newline-separated list.
SELECT
  part_nodes.unique_id,
  node_versions.name,
  node_versions.resource_type,
  node_versions.package_name,
  node_versions.path,
  CAST(node_versions.fqn AS TEXT) AS fqn,
  part_nodes.database_name,
  part_nodes.schema_name,
  part_nodes.identifier,
  part_nodes.relation_name,
  node_versions.materialized,
  node_versions.language,
  node_versions.raw_code,
  node_versions.compiled_code,
  node_versions.checksum,
  node_versions.checksum_rule,
  node_versions.code_hash,
  CAST(node_versions.config AS TEXT) AS config,
  CAST(node_versions.unrendered_config AS TEXT) AS unrendered_config,
  CAST(node_versions."columns" AS TEXT) AS "columns",
  node_versions.columns_from,
  node_versions.description,
  CAST(node_versions.tags AS TEXT) AS tags,
  CAST(node_versions.meta AS TEXT) AS meta,
  node_versions.access,
  node_versions.group_name,
  node_versions.version,
  node_versions.source_name,
  CAST(node_versions.contract AS TEXT) AS contract,
  CAST(node_versions.macros AS TEXT) AS macros,
  CAST(node_versions.properties AS TEXT) AS properties
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND part_nodes.unique_id IN (
    SELECT
      wanted.unique_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS wanted(unique_id)
  );
