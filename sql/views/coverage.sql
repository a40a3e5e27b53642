-- One row per project, environment, kind of node, schema and folder of the latest run: how many nodes and columns are
-- tested, described and owned. Key: project_name, environment, resource_type, schema_name, folder.
-- Counts, not shares: they add up over folders and schemas. Only models, seeds, snapshots and sources count.
-- Example: the share of tested models by schema. SELECT schema_name, SUM(tested_nodes) * 1.0 / SUM(nodes) FROM coverage
-- WHERE resource_type = 'model' GROUP BY schema_name
CREATE OR REPLACE VIEW coverage AS
SELECT
  latest.project_name,
  latest.environment,
  node.resource_type,
  place.schema_name,
  RTRIM(RTRIM(node.path, REPLACE(node.path, '/', '')), '/') AS folder,
  latest.run_id,
  latest.run_at,
  COUNT(*) AS nodes,
  COUNT(tested.tests) AS tested_nodes,
  COUNT(NULLIF(TRIM(node.description), '')) AS described_nodes,
  COUNT(owners.owner) AS owned_nodes,
  COALESCE(SUM(tested.tests), 0) AS tests,
  COALESCE(SUM(items.columns_known), 0) AS columns_known,
  COALESCE(SUM(items.described), 0) AS described_columns
FROM latest_runs AS latest
JOIN store_graph_nodes AS place ON place.graph_id = latest.graph_id
JOIN store_node_versions AS node ON node.version_id = place.version_id
LEFT JOIN (
  SELECT latest.run_id, edge.parent_id, COUNT(*) AS tests
  FROM latest_runs AS latest
  JOIN store_graph_nodes AS place ON place.graph_id = latest.graph_id
  JOIN store_version_parents AS edge ON edge.version_id = place.version_id
  WHERE STARTS_WITH(place.unique_id, 'test.') OR STARTS_WITH(place.unique_id, 'unit_test.')
  GROUP BY latest.run_id, edge.parent_id
) AS tested ON tested.run_id = latest.run_id AND tested.parent_id = place.unique_id
LEFT JOIN (
  SELECT
    latest.run_id,
    item.unique_id,
    COUNT(*) AS columns_known,
    COUNT(NULLIF(TRIM(item.description), '')) AS described
  FROM latest_runs AS latest
  JOIN node_columns AS item ON item.run_id = latest.run_id
  GROUP BY latest.run_id, item.unique_id
) AS items ON items.run_id = latest.run_id AND items.unique_id = place.unique_id
LEFT JOIN node_owners AS owners
  ON owners.project_name = latest.project_name
  AND owners.environment = latest.environment
  AND owners.unique_id = place.unique_id
WHERE node.resource_type IN ('model', 'seed', 'snapshot', 'source')
GROUP BY
  latest.project_name,
  latest.environment,
  node.resource_type,
  place.schema_name,
  RTRIM(RTRIM(node.path, REPLACE(node.path, '/', '')), '/'),
  latest.run_id,
  latest.run_at;
