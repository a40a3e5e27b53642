-- What a run selector may name, for messages about one that names nothing.
SELECT DISTINCT
  environment,
  branch
FROM recce_metadata.runs
WHERE
  status = 'complete'
  AND (
    CAST(:project AS VARCHAR(65535)) IS NULL
    OR project_name = CAST(:project AS VARCHAR(65535))
  );
