-- Which rows fail the tests that fail now?
-- Asked by: the owner of the model, before a look into the warehouse.
-- Answer: shop | not_null_orders_id | fail | 9 rows | [{"id": null, "amount": 20}] | 2026-11-15 06:00
-- Topic: Tests
SELECT
  project_name,
  unique_id,
  status,
  failures,
  failed_rows,
  run_at
FROM latest_results
WHERE
  environment = 'base' -- edit: the environment
  AND status IN ('fail', 'warn')
  AND failed_rows IS NOT NULL -- record --failed-rows 5 stores them
ORDER BY project_name, unique_id;
