-- Which columns disappeared from production, when, and from what?
-- Asked by: the owner of a dashboard that says "column not found".
-- Answer: 2026-11-18 06:00 | orders | discount_code | TEXT | column removed from a modified node | 7c1e02a
-- Topic: Changes
SELECT
  change.run_at,
  change.project_name,
  change.unique_id,
  change.column_name,
  change.previous_column_type AS column_type,
  change.node_status,
  run.git_sha,
  run.branch
FROM column_changes AS change
JOIN runs AS run ON run.run_id = change.run_id
WHERE change.status = 'removed' AND change.environment = 'base' -- edit: the environment
ORDER BY change.run_at DESC, change.project_name, change.unique_id, change.previous_ordinal;
