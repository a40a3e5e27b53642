-- Columns for proof of a run's commit, the results of its build and of the run itself, and its warnings. For runs
-- recorded before, the build is counted from its results. Their commit stays unproven and their warnings unknown.
ALTER TABLE recce_metadata.store_runs
ADD COLUMN IF NOT EXISTS git_proven BOOLEAN;
ALTER TABLE recce_metadata.store_runs
ADD COLUMN IF NOT EXISTS status TEXT;
ALTER TABLE recce_metadata.store_runs
ADD COLUMN IF NOT EXISTS reason TEXT;
ALTER TABLE recce_metadata.store_runs
ADD COLUMN IF NOT EXISTS build_status TEXT;
ALTER TABLE recce_metadata.store_runs
ADD COLUMN IF NOT EXISTS build_errors BIGINT;
ALTER TABLE recce_metadata.store_runs
ADD COLUMN IF NOT EXISTS build_failures BIGINT;
ALTER TABLE recce_metadata.store_runs
ADD COLUMN IF NOT EXISTS build_warnings BIGINT;
ALTER TABLE recce_metadata.store_runs
ADD COLUMN IF NOT EXISTS build_skipped BIGINT;
ALTER TABLE recce_metadata.store_runs
ADD COLUMN IF NOT EXISTS warnings JSON;
ALTER TABLE recce_metadata.store_quality_runs
ADD COLUMN IF NOT EXISTS status TEXT;
ALTER TABLE recce_metadata.store_quality_runs
ADD COLUMN IF NOT EXISTS reason TEXT;
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
/* One row per check result, from `check run --save` or an imported recce state. The id is a hash of the result, so */
/* saving again is a no-op. Deleted with its current run, or its base run if it has no current run. */
/* `findings` is a JSON list of nodes with counts in words: no values of the compared data. */
CREATE TABLE IF NOT EXISTS recce_metadata.store_check_results (
  check_result_id TEXT(64) NOT NULL PRIMARY KEY,
  checked_at TIMESTAMPTZ NOT NULL,
  base_run_id TEXT(64),
  current_run_id TEXT(64),
  origin TEXT NOT NULL,
  file_name TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  check_name TEXT NOT NULL,
  check_type TEXT NOT NULL,
  description TEXT NOT NULL,
  status TEXT NOT NULL,
  has_expectations BOOLEAN NOT NULL,
  is_optional BOOLEAN NOT NULL,
  node_count BIGINT,
  differing_nodes BIGINT,
  uncompared_nodes BIGINT,
  message TEXT NOT NULL,
  violations JSON NOT NULL,
  findings JSON NOT NULL,
  seconds DOUBLE,
  parameters JSON NOT NULL,
  recorder_version TEXT NOT NULL
);
