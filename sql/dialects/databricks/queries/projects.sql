-- Projects with runs other than those of workspaces.
SELECT DISTINCT
  project_name
FROM recce_metadata.store_runs
WHERE
  NOT STARTSWITH(environment, 'workspace:')
ORDER BY
  project_name NULLS LAST;
