-- One row per project, environment and model, seed, snapshot or source of the latest run that nothing but tests reads.
-- Key: project_name, environment, unique_id.
-- Exposures, metrics and all other nodes count as readers. Queries outside the project are not known.
-- Example: which tables does nobody need? SELECT * FROM unused_nodes WHERE materialized = 'table'
CREATE OR REPLACE VIEW unused_nodes AS
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
  place.relation_name,
  node.materialized,
  node.path,
  COALESCE(readers.tests, 0) AS tests,
  owners.owner
FROM latest_runs AS latest
JOIN store_graph_nodes AS place ON place.graph_id = latest.graph_id
JOIN store_node_versions AS node ON node.version_id = place.version_id
LEFT JOIN (
  SELECT
    latest.run_id,
    edge.parent_id,
    COUNT(CASE WHEN STARTS_WITH(place.unique_id, 'test.') THEN 1 END) AS tests,
    COUNT(CASE WHEN NOT STARTS_WITH(place.unique_id, 'test.') AND NOT STARTS_WITH(place.unique_id, 'unit_test.') THEN 1 END) AS nodes
  FROM latest_runs AS latest
  JOIN store_graph_nodes AS place ON place.graph_id = latest.graph_id
  JOIN store_version_parents AS edge ON edge.version_id = place.version_id
  WHERE place.unique_id <> edge.parent_id
  GROUP BY latest.run_id, edge.parent_id
) AS readers ON readers.run_id = latest.run_id AND readers.parent_id = place.unique_id
LEFT JOIN node_owners AS owners
  ON owners.project_name = latest.project_name
  AND owners.environment = latest.environment
  AND owners.unique_id = place.unique_id
WHERE node.resource_type IN ('model', 'seed', 'snapshot', 'source') AND COALESCE(readers.nodes, 0) = 0;
