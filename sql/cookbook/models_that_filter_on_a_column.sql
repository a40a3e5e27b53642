-- Which columns filter, join or group the rows of models?
-- Asked by: an engineer whose column may get other values but is not part of any output.
-- Answer: model.shop.stg_orders | status | 3 models | 2 filter | 1 joins | 0 group | model.shop.orders
-- Topic: Columns and lineage
SELECT
  used.parent_id,
  used.parent_column,
  COUNT(DISTINCT used.node_id) AS models,
  COUNT(DISTINCT CASE WHEN used.usage = 'filter' THEN used.node_id END) AS that_filter,
  COUNT(DISTINCT CASE WHEN used.usage = 'join' THEN used.node_id END) AS that_join,
  COUNT(DISTINCT CASE WHEN used.usage = 'group' THEN used.node_id END) AS that_group,
  MIN(used.node_id) AS for_example
FROM latest_runs AS run
JOIN column_usage AS used ON used.run_id = run.run_id
WHERE
  run.environment = 'base' -- edit: the environment; AND used.parent_id = 'model.shop.stg_orders' for one node
  AND STARTS_WITH(used.node_id, 'model.')
  AND used.usage <> 'referenced'
GROUP BY used.parent_id, used.parent_column
ORDER BY models DESC, used.parent_id, used.parent_column;
