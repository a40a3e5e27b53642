-- Projects with runs other than those of workspaces.
SELECT DISTINCT
  project_name
FROM recce_metadata.store_runs
WHERE
  NOT STARTS_WITH(environment, 'workspace:')
ORDER BY
  project_name;
