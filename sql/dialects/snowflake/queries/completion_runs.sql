-- The newest complete runs but those of workspaces, for completion in a shell.
SELECT
  run_id,
  environment,
  branch,
  project_name,
  run_at
FROM recce_metadata.runs
WHERE
  status = 'complete' AND NOT STARTSWITH(environment, 'workspace:')
ORDER BY
  LEAST_IGNORE_NULLS(run_at, recorded_at) DESC,
  recorded_at DESC,
  run_id
LIMIT 200;
