-- How many rows did a model write in each run?
-- Asked by: the owner of an incremental model.
-- Answer: 2026-11-18 06:00 | 500,000 rows | 12.0 s | success
-- Topic: Builds
SELECT run_at, rows_affected, seconds, status, git_sha, run_id
FROM result_history
WHERE
  environment = 'base' -- edit: the environment
  AND unique_id = 'model.shop.orders' -- edit: the model
ORDER BY run_at DESC
LIMIT 60; -- edit: number of runs
