-- Projects with measured quality, and their environments.
SELECT DISTINCT
  project_name,
  environment
FROM recce_metadata.store_quality_runs
ORDER BY
  project_name NULLS LAST,
  environment NULLS LAST;
