-- The projects that have runs.
SELECT DISTINCT
  project_name
FROM recce_metadata.runs
ORDER BY
  project_name;
