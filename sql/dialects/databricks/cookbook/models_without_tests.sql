-- Which models have no test at all?
-- Asked by: a reviewer, or the owner of the quality goals; models with the most readers come first.
-- Answer: shop | model.shop.int_order_items | ephemeral | 14 readers
SELECT
  run.project_name,
  node.unique_id,
  node.materialized,
  COUNT(edge.node_id) AS readers
FROM recce_metadata.latest_runs AS run
JOIN recce_metadata.nodes AS node
  ON node.run_id = run.run_id
LEFT JOIN recce_metadata.lineage AS edge
  ON edge.run_id = node.run_id AND edge.parent_id = node.unique_id
WHERE
  run.environment = 'base'
  AND node.resource_type = 'model' /* edit: the environment */
GROUP BY
  run.project_name,
  node.unique_id,
  node.materialized
HAVING
  SUM(
    CASE
      WHEN STARTSWITH(edge.node_id, 'test.') OR STARTSWITH(edge.node_id, 'unit_test.')
      THEN 1
      ELSE 0
    END
  ) = 0
ORDER BY
  readers DESC NULLS FIRST,
  run.project_name NULLS LAST,
  node.unique_id NULLS LAST;
