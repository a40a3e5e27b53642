-- Projects with runs other than those of workspaces.
SELECT DISTINCT
  project_name
FROM store_runs
WHERE
  NOT SUBSTR(environment, 1, LENGTH('workspace:')) = 'workspace:'
ORDER BY
  project_name NULLS LAST;
