-- Which nodes ended with an error in the last 30 days, and with which message?
-- Asked by: an on-call engineer.
-- Answer: 2026-11-03 06:00 | model.shop.orders | division by zero | growth | 7c1e02a
-- Topic: Builds
SELECT run_at, project_name, environment, unique_id, status, message, owner, git_sha
FROM result_history
WHERE
  environment = 'base' -- edit: the environment
  AND status IN ('error', 'runtime error')
  AND run_at > CURRENT_TIMESTAMP - INTERVAL '30 days' -- edit: the period
ORDER BY run_at DESC, project_name, unique_id;
