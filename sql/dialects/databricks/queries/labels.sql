-- Environments and branches of a project, for error messages about a run selector that matches no run.
SELECT DISTINCT
  environment,
  branch
FROM recce_metadata.store_runs
WHERE
  status = 'complete'
  AND (
    CAST(:project AS STRING) IS NULL OR project_name = CAST(:project AS STRING)
  );
