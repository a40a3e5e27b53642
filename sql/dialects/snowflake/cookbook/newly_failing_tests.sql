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
    LAG(result.status) OVER (
      PARTITION BY runs.project_name, result.unique_id
      ORDER BY LEAST_IGNORE_NULLS(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
    ) AS previous_status,
    LAG(runs.run_at) OVER (
      PARTITION BY runs.project_name, result.unique_id
      ORDER BY LEAST_IGNORE_NULLS(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
    ) AS previous_run_at,
    LEAD(runs.run_id) OVER (
      PARTITION BY runs.project_name, result.unique_id
      ORDER BY LEAST_IGNORE_NULLS(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
    ) AS next_run_id
  FROM recce_metadata.runs
  JOIN recce_metadata.run_results AS result
    ON result.run_id = runs.run_id
  WHERE
    runs.environment = 'base' /* edit: the environment */
    AND NOT result.status IN ('skipped', 'no-op')
    AND (
      STARTSWITH(result.unique_id, 'test.')
      OR STARTSWITH(result.unique_id, 'unit_test.')
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
  LISTAGG(edge.parent_id, ', ') WITHIN GROUP (ORDER BY
    edge.parent_id) AS tested_nodes,
  failing.message
FROM in_time AS failing
LEFT JOIN recce_metadata.lineage AS edge
  ON edge.run_id = failing.run_id AND edge.node_id = failing.unique_id
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
ORDER BY
  failing.project_name,
  failing.unique_id;
