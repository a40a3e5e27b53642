-- Which branches were recorded, and when last?
-- Asked by: a release manager.
-- Answer: shop | feature/margin | PR 812 | 2026-11-18 11:00 | success | 3 changed nodes
-- Topic: Branches
SELECT
  run.project_name,
  run.environment,
  run.branch,
  run.pull_request,
  run.run_id,
  run.run_at,
  run.build_status,
  COUNT(change.unique_id) AS changed_nodes
FROM runs AS run
LEFT JOIN runs AS newer
  ON newer.project_name = run.project_name
  AND newer.environment = run.environment
  AND newer.branch = run.branch
  AND newer.run_at > run.run_at
LEFT JOIN branch_changes AS change ON change.run_id = run.run_id
WHERE run.environment <> 'base' AND run.branch IS NOT NULL AND newer.run_id IS NULL -- edit: the environment
GROUP BY
  run.project_name, run.environment, run.branch, run.pull_request, run.run_id, run.run_at, run.build_status
ORDER BY run.project_name, run.environment, run.branch;
