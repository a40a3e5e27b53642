-- Nodes of a graph whose ids are in a newline-separated list.
SELECT
  part_nodes.unique_id,
  node_versions.name,
  node_versions.resource_type,
  node_versions.package_name,
  node_versions.path,
  node_versions.fqn AS fqn,
  part_nodes.database_name,
  part_nodes.schema_name,
  part_nodes.identifier,
  part_nodes.relation_name,
  node_versions.materialized,
  node_versions."language",
  node_versions.raw_code,
  node_versions.compiled_code,
  node_versions.checksum,
  node_versions.checksum_rule,
  node_versions.code_hash,
  node_versions.config AS config,
  node_versions.unrendered_config AS unrendered_config,
  node_versions.columns AS columns,
  node_versions.columns_from,
  node_versions.description,
  node_versions.tags AS tags,
  node_versions.meta AS meta,
  node_versions.access,
  node_versions.group_name,
  node_versions.version,
  node_versions.source_name,
  node_versions.contract AS contract,
  node_versions.macros AS macros,
  node_versions.properties AS properties
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = part_nodes.version_id
WHERE
  graph_parts.graph_id = :graph_id
  AND part_nodes.unique_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  );
