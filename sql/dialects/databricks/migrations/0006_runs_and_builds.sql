-- hand-written: an existing column cannot be added again, and each statement must be repeatable. Columns that were NOT
-- NULL are nullable in the new table, but never NULL.
-- Columns for proof of a run's commit, the results of its build and of the run itself, and its warnings. For runs
-- recorded before, the build is counted from its results. Their commit stays unproven and their warnings unknown.
CREATE OR REPLACE TABLE recce_metadata.store_runs
CLUSTER BY (run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
)
AS SELECT
  runs.run_id,
  runs.run_at,
  runs.project_name,
  runs.environment,
  runs.invocation_id,
  runs.extractor,
  runs.dbt_version,
  runs.adapter_type,
  runs.manifest_version,
  runs.target_name,
  runs.target_database,
  runs.target_schema,
  runs.git_sha,
  runs.branch,
  runs.git_dirty,
  runs.pull_request,
  runs.command,
  runs.node_count,
  runs.edge_count,
  runs.recorded_at,
  runs.recorder_version,
  runs.graph_id,
  runs.macro_set_id,
  runs.column_graph_id,
  CAST(NULL AS BOOLEAN) AS git_proven,
  'complete' AS status,
  CAST(NULL AS STRING) AS reason,
  CASE WHEN build.errors + build.failures > 0 THEN 'failed' WHEN build.errors = 0 THEN 'success' END AS build_status,
  build.errors AS build_errors,
  build.failures AS build_failures,
  build.warnings AS build_warnings,
  build.skipped AS build_skipped,
  CAST(NULL AS STRING) AS warnings
FROM recce_metadata.store_runs AS runs
LEFT JOIN (
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
  ON build.run_id = runs.run_id;
CREATE OR REPLACE TABLE recce_metadata.store_quality_runs
CLUSTER BY (quality_run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
)
AS SELECT
  quality_run_id,
  run_id,
  project_name,
  environment,
  started_at,
  finished_at,
  target_name,
  sample_percent,
  sample_rows,
  sample_seed,
  keeps_values,
  table_count,
  failed_count,
  score,
  recorder_version,
  'complete' AS status,
  CAST(NULL AS STRING) AS reason
FROM recce_metadata.store_quality_runs;
