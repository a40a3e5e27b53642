-- What a run selector may name, for messages about one that names nothing.
SELECT DISTINCT
  environment,
  branch
FROM recce_metadata.runs
WHERE
  status = 'complete'
  AND (
    CAST(:project AS TEXT) IS NULL OR project_name = CAST(:project AS TEXT)
  );
