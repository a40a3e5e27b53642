-- Which tests change between pass and fail most often?
-- Asked by: an on-call engineer who no longer believes the alarms.
-- Answer: shop | test.shop.unique_orders_id.1a2b | 39 flips | 20 of 60 failed | now pass
-- Topic: Tests
SELECT project_name, unique_id, flips, failed_results, results, outcome, since_run_at
FROM test_history
WHERE
  environment = 'base' -- edit: the environment
  AND flips > 0
ORDER BY flips DESC, project_name, unique_id
LIMIT 20; -- edit: number of tests
