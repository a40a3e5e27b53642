-- Which tests fail now and passed in the previous run?
-- Asked by: an on-call engineer, to separate this morning's failures from the long-standing ones.
-- Answer: shop | test.shop.unique_orders_id.1a2b | pass → fail | 3 failures | on model.shop.orders
WITH in_time AS (
  SELECT
    runs.project_name,
    runs.run_id,
    runs.run_at,
    result.unique_id,
    result.status,
    result.failures,
    result.message,
    LAG(result.status) OVER tested AS previous_status,
    LAG(runs.run_at) OVER tested AS previous_run_at,
    LEAD(runs.run_id) OVER tested AS next_run_id
  FROM runs
  JOIN run_results AS result ON result.run_id = runs.run_id
  WHERE
    runs.environment = 'base' -- edit: the environment
    AND result.status NOT IN ('skipped', 'no-op')
    AND (STARTS_WITH(result.unique_id, 'test.') OR STARTS_WITH(result.unique_id, 'unit_test.'))
  WINDOW tested AS (
    PARTITION BY runs.project_name, result.unique_id
    ORDER BY LEAST(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
  )
)
SELECT
  failing.project_name,
  failing.unique_id,
  failing.previous_status,
  failing.status,
  failing.failures,
  failing.previous_run_at,
  failing.run_at,
  STRING_AGG(edge.parent_id, ', ' ORDER BY edge.parent_id) AS tested_nodes,
  failing.message
FROM in_time AS failing
LEFT JOIN lineage AS edge ON edge.run_id = failing.run_id AND edge.node_id = failing.unique_id
WHERE
  failing.next_run_id IS NULL
  AND failing.status IN ('fail', 'error', 'runtime error')
  AND failing.previous_status IN ('pass', 'success', 'warn')
GROUP BY
  failing.project_name,
  failing.unique_id,
  failing.previous_status,
  failing.status,
  failing.failures,
  failing.previous_run_at,
  failing.run_at,
  failing.message
ORDER BY failing.project_name, failing.unique_id;
