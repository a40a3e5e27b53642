-- hand-written: an ordered subquery instead of an ordered aggregate
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
    AND (SUBSTR(result.unique_id, 1, 5) = 'test.' OR SUBSTR(result.unique_id, 1, 10) = 'unit_test.')
  WINDOW tested AS (
    PARTITION BY runs.project_name, result.unique_id
    ORDER BY MIN(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
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
  (
    SELECT GROUP_CONCAT(parent_id, ', ')
    FROM (
      SELECT edge.parent_id
      FROM lineage AS edge
      WHERE edge.run_id = failing.run_id AND edge.node_id = failing.unique_id
      ORDER BY edge.parent_id
    ) AS in_order
  ) AS tested_nodes,
  failing.message
FROM in_time AS failing
WHERE
  failing.next_run_id IS NULL
  AND failing.status IN ('fail', 'error', 'runtime error')
  AND failing.previous_status IN ('pass', 'success', 'warn')
ORDER BY failing.project_name, failing.unique_id;
