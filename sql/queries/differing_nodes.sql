-- Nodes of one of two graphs that the other lacks, or has with another version or relation, by graph. Parts that both
-- graphs share are skipped, and code is fetched only if it differs.
WITH own_parts AS (
  SELECT graph_parts.part_id, MIN(graph_parts.graph_id) AS graph_id
  FROM store_graph_parts AS graph_parts
  WHERE graph_parts.graph_id IN (:graph_id, :other_graph_id)
  GROUP BY graph_parts.part_id
  HAVING COUNT(*) = 1
), own AS (
  SELECT own_parts.graph_id, part_nodes.*
  FROM own_parts
  JOIN store_part_nodes AS part_nodes ON part_nodes.part_id = own_parts.part_id
)
SELECT
  own.graph_id,
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
  CAST(node_versions.columns AS TEXT) AS columns,
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
JOIN store_node_versions AS node_versions ON node_versions.version_id = own.version_id
LEFT JOIN own AS other ON other.unique_id = own.unique_id AND other.graph_id <> own.graph_id
LEFT JOIN store_node_versions AS other_versions ON other_versions.version_id = other.version_id
WHERE
  other.version_id IS DISTINCT FROM own.version_id
  OR other.database_name IS DISTINCT FROM own.database_name
  OR other.schema_name IS DISTINCT FROM own.schema_name
  OR other.identifier IS DISTINCT FROM own.identifier
  OR other.relation_name IS DISTINCT FROM own.relation_name;
