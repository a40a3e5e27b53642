-- Which models change most often in production?
-- Asked by: an architect who looks for unstable parts of the project.
-- Answer: shop | model.shop.orders | 23 changes, 19 of code | last on 2026-11-18
-- Topic: Changes
SELECT
  change.project_name,
  change.unique_id,
  COUNT(*) AS changes,
  COUNT(CASE WHEN change.code_changed THEN 1 END) AS code_changes,
  COUNT(DISTINCT run.git_sha) AS commits,
  MIN(change.run_at) AS first_change_at,
  MAX(change.run_at) AS last_change_at
FROM node_changes AS change
JOIN runs AS run ON run.run_id = change.run_id
WHERE
  change.environment = 'base' -- edit: the environment
  AND change.resource_type = 'model'
  AND change.status = 'modified'
GROUP BY change.project_name, change.unique_id
ORDER BY changes DESC, code_changes DESC, change.project_name, change.unique_id
LIMIT 50; -- edit: number of rows
