-- Which runs were recorded from a working tree with uncommitted changes?
-- Asked by: an auditor: the commit of such a run does not show which code ran.
-- Answer: shop | base | 2026-11-18 06:00 | 7c1e02a | main | 2 nodes differ from the previous run
-- Topic: Branches
SELECT
  run.project_name,
  run.environment,
  run.run_at,
  run.run_id,
  run.git_sha,
  run.branch,
  run.target_name,
  COUNT(change.unique_id) AS changed_nodes
FROM runs AS run
LEFT JOIN node_changes AS change ON change.run_id = run.run_id
WHERE run.git_dirty
GROUP BY
  run.project_name,
  run.environment,
  run.run_at,
  run.run_id,
  run.git_sha,
  run.branch,
  run.target_name
ORDER BY run.run_at DESC, run.run_id;
