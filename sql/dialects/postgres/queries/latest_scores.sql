-- The latest complete measurement of quality of each project and environment, apart for each scope of a scan as in
-- `latest_states`. `scope` is NULL for runs that are not scans; `violations` are conditions that do not hold.
SELECT
  latest.project_name,
  latest.environment,
  latest.scope,
  latest.quality_run_id,
  latest.started_at,
  latest.table_count,
  latest.failed_count,
  latest.score,
  COUNT(broken.quality_run_id) AS violations
FROM (
  SELECT
    measured.project_name,
    measured.environment,
    measured.quality_run_id,
    measured.started_at,
    measured.table_count,
    measured.failed_count,
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
      CAST(:project AS TEXT) IS NULL OR measured.project_name = CAST(:project AS TEXT)
    )
) AS latest
LEFT JOIN recce_metadata.store_quality_metrics AS broken
  ON broken.quality_run_id = latest.quality_run_id
  AND (
    NOT broken.holds OR broken.reason IS NOT NULL
  )
WHERE
  latest.age = 1
GROUP BY
  latest.project_name,
  latest.environment,
  latest.scope,
  latest.quality_run_id,
  latest.started_at,
  latest.table_count,
  latest.failed_count,
  latest.score;
