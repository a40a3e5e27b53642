-- Which models have no test at all?
-- Asked by: a reviewer, or the owner of the quality goals; models with the most readers come first.
-- Answer: shop | model.shop.int_order_items | ephemeral | 14 readers
-- Topic: Tests
WITH read_models AS (
  SELECT
    edge.run_id,
    edge.parent_id,
    COUNT(*) AS readers,
    MAX(CASE WHEN STARTS_WITH(edge.node_id, 'test.') OR STARTS_WITH(edge.node_id, 'unit_test.') THEN 1 ELSE 0 END) AS is_tested
  FROM latest_runs AS run
  JOIN lineage AS edge ON edge.run_id = run.run_id
  WHERE run.environment = 'base' -- edit: the environment
  GROUP BY edge.run_id, edge.parent_id
)
SELECT
  node.project_name,
  node.unique_id,
  node.materialized,
  COALESCE(read_models.readers, 0) AS readers
FROM latest_nodes AS node
LEFT JOIN read_models ON read_models.run_id = node.run_id AND read_models.parent_id = node.unique_id
WHERE
  node.environment = 'base' -- edit: the environment
  AND node.resource_type = 'model'
  AND COALESCE(read_models.is_tested, 0) = 0
ORDER BY readers DESC, node.project_name, node.unique_id;
