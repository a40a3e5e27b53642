-- Nodes of one graph that the other lacks, or has with another version or relation. Parts that both graphs share are
-- skipped, and code is fetched only if it differs.
WITH own AS (
  SELECT
    part_nodes.*
  FROM store_graph_parts AS graph_parts
  JOIN store_part_nodes AS part_nodes
    ON part_nodes.part_id = graph_parts.part_id
  WHERE
    graph_parts.graph_id = :graph_id
    AND NOT EXISTS(
      SELECT
        1
      FROM store_graph_parts AS shared
      WHERE
        shared.graph_id = :other_graph_id AND shared.part_id = graph_parts.part_id
    )
), other AS (
  SELECT
    part_nodes.*
  FROM store_graph_parts AS graph_parts
  JOIN store_part_nodes AS part_nodes
    ON part_nodes.part_id = graph_parts.part_id
  WHERE
    graph_parts.graph_id = :other_graph_id
    AND NOT EXISTS(
      SELECT
        1
      FROM store_graph_parts AS shared
      WHERE
        shared.graph_id = :graph_id AND shared.part_id = graph_parts.part_id
    )
)
SELECT
  own.unique_id,
  node_versions.name,
  node_versions.resource_type,
  node_versions.package_name,
  node_versions.path,
  node_versions.fqn AS fqn,
  own.database_name,
  own.schema_name,
  own.identifier,
  own.relation_name,
  node_versions.materialized,
  node_versions.language,
  CASE
    WHEN node_versions.raw_code IS NOT other_versions.raw_code
    THEN node_versions.raw_code
  END AS raw_code,
  CASE
    WHEN node_versions.compiled_code IS NOT other_versions.compiled_code
    THEN node_versions.compiled_code
  END AS compiled_code,
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
FROM own
JOIN store_node_versions AS node_versions
  ON node_versions.version_id = own.version_id
LEFT JOIN other
  ON other.unique_id = own.unique_id
LEFT JOIN store_node_versions AS other_versions
  ON other_versions.version_id = other.version_id
WHERE
  other.version_id IS NOT own.version_id
  OR other.database_name IS NOT own.database_name
  OR other.schema_name IS NOT own.schema_name
  OR other.identifier IS NOT own.identifier
  OR other.relation_name IS NOT own.relation_name;
