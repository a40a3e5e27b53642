-- Which tests fail now and passed in the previous run?
-- Asked by: an on-call engineer, to separate this morning's failures from the long-standing ones.
-- Answer: shop | test.shop.unique_orders_id.1a2b | 3 rows | passed 2026-11-17 06:00 | failed 2026-11-18 06:00 | 7c1e02a
-- Topic: Tests
SELECT project_name, unique_id, failures, last_pass_at, since_run_at, since_git_sha
FROM test_history
WHERE
  environment = 'base' -- edit: the environment
  AND outcome = 'fail'
  AND flips > 0
  AND since_run_id = run_id
ORDER BY project_name, unique_id;
