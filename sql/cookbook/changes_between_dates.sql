-- What changed in production between two dates?
-- Asked by: a release manager who compares two deployments.
-- Answer: 2026-10-31 06:00 | model.shop.orders | modified | code_changed true | 7c1e02a
-- Topic: Changes
SELECT change.run_at, change.project_name, change.unique_id, change.status, change.code_changed, run.git_sha
FROM node_changes AS change
JOIN runs AS run ON run.run_id = change.run_id
WHERE
  change.environment = 'base' -- edit: the environment
  AND change.run_at > CURRENT_TIMESTAMP - INTERVAL '30 days' -- edit: the first date
  AND change.run_at <= CURRENT_TIMESTAMP -- edit: the last date
  AND change.status NOT IN ('moved', 'rewritten')
ORDER BY change.run_at, change.project_name, change.unique_id;
