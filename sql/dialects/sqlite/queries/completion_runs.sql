-- The newest complete runs but those of workspaces, for completion in a shell.
SELECT
  run_id,
  environment,
  branch,
  project_name,
  run_at
FROM runs
WHERE
  status = 'complete'
  AND NOT SUBSTR(environment, 1, LENGTH('workspace:')) = 'workspace:'
ORDER BY
  MIN(COALESCE(run_at, recorded_at), COALESCE(recorded_at, run_at)) DESC NULLS FIRST,
  recorded_at DESC NULLS FIRST,
  run_id NULLS LAST
LIMIT 200;
