-- Which columns of production changed their type, when, and from which to which?
-- Asked by: the owner of a dashboard whose figures look different.
-- Answer: 2026-10-31 06:00 | model.shop.orders | amount | integer → numeric(12,2) | 7c1e02a
-- Topic: Changes
SELECT
  change.run_at,
  change.project_name,
  change.unique_id,
  change.column_name,
  change.previous_column_type,
  change.column_type,
  run.git_sha
FROM column_changes AS change
JOIN runs AS run ON run.run_id = change.run_id
WHERE
  change.environment = 'base' -- edit: the environment
  AND change.status = 'retyped'
ORDER BY change.run_at DESC, change.project_name, change.unique_id, change.column_name;
