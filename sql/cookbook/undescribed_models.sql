-- Which models have never had a description, in any run of production?
-- Asked by: the owner of the documentation; models with the most readers come first.
-- Answer: shop | model.shop.int_order_items | models/int_order_items.sql | 14 readers
-- Topic: Project
SELECT
  run.project_name,
  node.unique_id,
  node.path,
  COUNT(edge.node_id) AS readers
FROM latest_runs AS run
JOIN nodes AS node ON node.run_id = run.run_id
LEFT JOIN lineage AS edge ON edge.run_id = node.run_id AND edge.parent_id = node.unique_id
WHERE
  run.environment = 'base' -- edit: the environment
  AND node.resource_type = 'model'
  AND node.unique_id NOT IN (
    SELECT described.unique_id FROM store_node_versions AS described WHERE TRIM(described.description) <> ''
  )
GROUP BY run.project_name, node.unique_id, node.path
ORDER BY readers DESC, run.project_name, node.unique_id;
