-- Nodes of one graph that the other lacks, or has with another version or relation. Parts that both graphs share are
-- skipped, and code is fetched only if it differs.
WITH own AS (
  SELECT
    part_nodes.*
  FROM recce_metadata.store_graph_parts AS graph_parts
  JOIN recce_metadata.store_part_nodes AS part_nodes
    ON part_nodes.part_id = graph_parts.part_id
  WHERE
    graph_parts.graph_id = :graph_id
    AND NOT EXISTS(
      SELECT
        1
      FROM recce_metadata.store_graph_parts AS shared
      WHERE
        shared.graph_id = :other_graph_id AND shared.part_id = graph_parts.part_id
    )
), other AS (
  SELECT
    part_nodes.*
  FROM recce_metadata.store_graph_parts AS graph_parts
  JOIN recce_metadata.store_part_nodes AS part_nodes
    ON part_nodes.part_id = graph_parts.part_id
  WHERE
    graph_parts.graph_id = :other_graph_id
    AND NOT EXISTS(
      SELECT
        1
      FROM recce_metadata.store_graph_parts AS shared
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
  CAST(node_versions.fqn AS TEXT) AS fqn,
  own.database_name,
  own.schema_name,
  own.identifier,
  own.relation_name,
  node_versions.materialized,
  node_versions.language,
  CASE
    WHEN node_versions.raw_code IS DISTINCT FROM other_versions.raw_code
    THEN node_versions.raw_code
  END AS raw_code,
  CASE
    WHEN node_versions.compiled_code IS DISTINCT FROM other_versions.compiled_code
    THEN node_versions.compiled_code
  END AS compiled_code,
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
FROM own
JOIN recce_metadata.store_node_versions AS node_versions
  ON node_versions.version_id = own.version_id
LEFT JOIN other
  ON other.unique_id = own.unique_id
LEFT JOIN recce_metadata.store_node_versions AS other_versions
  ON other_versions.version_id = other.version_id
WHERE
  other.version_id IS DISTINCT FROM own.version_id
  OR other.database_name IS DISTINCT FROM own.database_name
  OR other.schema_name IS DISTINCT FROM own.schema_name
  OR other.identifier IS DISTINCT FROM own.identifier
  OR other.relation_name IS DISTINCT FROM own.relation_name;
