-- One row per measurement of quality, written last: a measurement with a row is complete.
-- Deleted with the run whose nodes it measured.
CREATE OR REPLACE VIEW recce_metadata.quality_runs AS
SELECT
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
  status,
  reason
FROM recce_metadata.store_quality_runs;
