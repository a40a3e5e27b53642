-- Which models changed in production this week, and whose commit was it?
-- Asked by: a team lead before the weekly review.
-- Answer: 2026-11-18 06:00 | model.shop.orders | modified | 7c1e02a | main | PR 812
-- Topic: Changes
WITH params AS (
  SELECT
    'base' AS environment, -- edit: the environment
    CURRENT_TIMESTAMP - INTERVAL '7 days' AS since -- edit: start of the period
)
SELECT
  change.run_at,
  change.project_name,
  change.unique_id,
  change.status,
  run.git_sha,
  run.branch,
  run.pull_request,
  run.git_dirty
FROM params
JOIN node_changes AS change ON change.environment = params.environment AND change.run_at >= params.since
JOIN runs AS run ON run.run_id = change.run_id
WHERE change.resource_type = 'model' AND change.status NOT IN ('moved', 'rewritten')
ORDER BY change.run_at DESC, change.project_name, change.unique_id;
