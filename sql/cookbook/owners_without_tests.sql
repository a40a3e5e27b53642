-- How many models of each owner have no test?
-- Asked by: the owner of the quality goals.
-- Answer: growth | 41 models | 12 without a test
-- Topic: Tests
SELECT
  node.project_name,
  owners.owner,
  COUNT(*) AS models,
  COUNT(CASE WHEN tested.parent_id IS NULL THEN 1 END) AS models_without_test
FROM latest_nodes AS node
LEFT JOIN node_owners AS owners
  ON owners.project_name = node.project_name
  AND owners.environment = node.environment
  AND owners.unique_id = node.unique_id
LEFT JOIN (
  SELECT DISTINCT run.run_id, edge.parent_id
  FROM latest_runs AS run
  JOIN lineage AS edge ON edge.run_id = run.run_id
  WHERE STARTS_WITH(edge.node_id, 'test.') OR STARTS_WITH(edge.node_id, 'unit_test.')
) AS tested ON tested.run_id = node.run_id AND tested.parent_id = node.unique_id
WHERE
  node.environment = 'base' -- edit: the environment
  AND node.resource_type = 'model'
GROUP BY node.project_name, owners.owner
ORDER BY models_without_test DESC, node.project_name, owners.owner;
