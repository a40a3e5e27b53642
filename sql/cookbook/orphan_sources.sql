-- Which sources does nothing read any more?
-- Asked by: the owner of the loading costs.
-- Answer: shop | source.shop.raw.coupons | "prod"."raw"."coupons"
-- Topic: Columns and lineage
SELECT
  run.project_name,
  node.unique_id,
  node.source_name,
  node.relation_name,
  node.description
FROM latest_runs AS run
JOIN nodes AS node ON node.run_id = run.run_id
WHERE
  run.environment = 'base' -- edit: the environment
  AND node.resource_type = 'source'
  AND NOT EXISTS (
    SELECT 1
    FROM lineage AS edge
    WHERE
      edge.run_id = node.run_id
      AND edge.parent_id = node.unique_id
      AND NOT STARTS_WITH(edge.node_id, 'test.') -- a test of the source itself is not a reader
  )
ORDER BY run.project_name, node.unique_id;
