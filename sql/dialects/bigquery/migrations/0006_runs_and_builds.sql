-- hand-written: BigQuery limits how often a table's columns may change, so one statement adds them all
-- Columns for proof of a run's commit, the results of its build and of the run itself, and its warnings. For runs
-- recorded before, the build is counted from its results. Their commit stays unproven and their warnings unknown.
ALTER TABLE recce_metadata.store_runs
ADD COLUMN IF NOT EXISTS git_proven BOOL,
ADD COLUMN IF NOT EXISTS status STRING,
ADD COLUMN IF NOT EXISTS reason STRING,
ADD COLUMN IF NOT EXISTS build_status STRING,
ADD COLUMN IF NOT EXISTS build_errors INT64,
ADD COLUMN IF NOT EXISTS build_failures INT64,
ADD COLUMN IF NOT EXISTS build_warnings INT64,
ADD COLUMN IF NOT EXISTS build_skipped INT64,
ADD COLUMN IF NOT EXISTS warnings JSON;
ALTER TABLE recce_metadata.store_quality_runs
ADD COLUMN IF NOT EXISTS status STRING,
ADD COLUMN IF NOT EXISTS reason STRING;
UPDATE recce_metadata.store_runs SET status = 'complete'
WHERE
  status IS NULL;
UPDATE recce_metadata.store_quality_runs SET status = 'complete'
WHERE
  status IS NULL;
UPDATE recce_metadata.store_runs SET build_status = CASE WHEN build.errors + build.failures > 0 THEN 'failed' ELSE 'success' END, build_errors = build.errors, build_failures = build.failures, build_warnings = build.warnings, build_skipped = build.skipped
FROM (
  SELECT
    run_id,
    COUNT(CASE WHEN status IN ('error', 'runtime error', 'partial success') THEN 1 END) AS errors,
    COUNT(CASE WHEN status = 'fail' THEN 1 END) AS failures,
    COUNT(CASE WHEN status = 'warn' THEN 1 END) AS warnings,
    COUNT(CASE WHEN status = 'skipped' THEN 1 END) AS skipped
  FROM recce_metadata.store_run_results
  GROUP BY
    run_id
) AS build
WHERE
  build.run_id = store_runs.run_id AND store_runs.build_status IS NULL;
