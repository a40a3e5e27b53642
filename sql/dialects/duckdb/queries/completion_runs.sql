-- The newest complete runs but those of workspaces, for completion in a shell.
SELECT
  run_id,
  environment,
  branch,
  project_name,
  run_at
FROM recce_metadata.runs
WHERE
  status = 'complete' AND NOT STARTS_WITH(environment, 'workspace:')
ORDER BY
  LEAST(run_at, recorded_at) DESC NULLS FIRST,
  recorded_at DESC NULLS FIRST,
  run_id
LIMIT 200;
