-- Since when does each failing test fail, and with which commit did it start?
-- Asked by: an on-call engineer, or the author of the commit.
-- Answer: shop | test.shop.not_null_orders_id.9c1d | 9 rows | since 2026-11-15 06:00 | 7c1e02a | main
-- Topic: Tests
SELECT
  test.project_name,
  test.unique_id,
  test.failures,
  test.since_run_at,
  test.since_git_sha,
  run.branch,
  run.pull_request,
  test.last_pass_at
FROM test_history AS test
JOIN runs AS run ON run.run_id = test.since_run_id
WHERE
  test.environment = 'base' -- edit: the environment
  AND test.outcome = 'fail'
ORDER BY test.since_run_at, test.project_name, test.unique_id;
