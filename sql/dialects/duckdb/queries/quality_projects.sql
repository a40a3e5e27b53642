-- The projects of which quality was measured, and their environments.
SELECT DISTINCT
  project_name,
  environment
FROM recce_metadata.quality_runs
ORDER BY
  project_name,
  environment;
