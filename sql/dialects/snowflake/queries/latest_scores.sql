-- The latest complete measurement of quality of each project and environment, apart for each scope of a scan as in
-- `latest_states`. `scope` is NULL for runs that are not scans.
SELECT
  project_name,
  environment,
  scope,
  quality_run_id,
  started_at,
  table_count,
  score
FROM (
  SELECT
    measured.project_name,
    measured.environment,
    measured.quality_run_id,
    measured.started_at,
    measured.table_count,
    measured.score,
    CASE WHEN run.extractor = 'database' THEN COALESCE(run.command, 'scan') END AS scope,
    ROW_NUMBER() OVER (
      PARTITION BY measured.project_name, measured.environment, CASE
        WHEN run.extractor = 'database'
        THEN COALESCE(run.command, 'scan')
        ELSE 'run'
      END
      ORDER BY measured.started_at DESC, measured.finished_at DESC, measured.quality_run_id
    ) AS age
  FROM recce_metadata.store_quality_runs AS measured
  LEFT JOIN recce_metadata.store_runs AS run
    ON run.run_id = measured.run_id
  WHERE
    measured.status = 'complete'
    AND (
      CAST(:project AS VARCHAR) IS NULL
      OR measured.project_name = CAST(:project AS VARCHAR)
    )
) AS aged_measurements
WHERE
  age = 1;
