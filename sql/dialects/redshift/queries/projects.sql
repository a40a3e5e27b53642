-- Projects with runs other than those of workspaces.
SELECT DISTINCT
  project_name
FROM recce_metadata.store_runs
WHERE
  NOT LEFT(environment, LENGTH('workspace:')) = 'workspace:'
ORDER BY
  project_name;
