-- One row per node of the latest run of each project and environment, without groups: the project as it is now, with the
-- columns of `nodes` but compiled SQL. Key: project_name, environment, unique_id.
CREATE OR REPLACE VIEW latest_nodes AS
SELECT
  latest.project_name,
  latest.environment,
  place.unique_id,
  latest.run_id,
  latest.run_at,
  node.name,
  node.resource_type,
  node.package_name,
  place.schema_name,
  node.checksum,
  node.code_hash,
  node.raw_code,
  node.config,
  node.columns,
  place.database_name,
  place.identifier,
  place.relation_name,
  node.materialized,
  node.language,
  node.path,
  node.description,
  node.tags,
  node.meta,
  node.access,
  node.version,
  node.group_name,
  node.source_name,
  node.contract,
  node.fqn,
  node.checksum_rule,
  node.columns_from,
  node.unrendered_config,
  node.macros,
  node.properties,
  place.version_id
FROM latest_runs AS latest
JOIN store_graph_nodes AS place ON place.graph_id = latest.graph_id
JOIN store_node_versions AS node ON node.version_id = place.version_id
WHERE node.resource_type NOT IN ('group', 'disabled');
