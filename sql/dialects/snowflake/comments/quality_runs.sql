CREATE OR REPLACE VIEW recce_metadata.quality_runs (
  quality_run_id COMMENT 'Id of the measurement',
  run_id COMMENT 'Id of the run',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  started_at COMMENT 'Start of the measurement',
  finished_at COMMENT 'End of the measurement',
  target_name COMMENT 'Name of the target in profiles.yml',
  sample_percent COMMENT 'Percentage of the sample; NULL if it has none',
  sample_rows COMMENT 'Most rows of the sample; NULL if it has none',
  sample_seed COMMENT 'Seed of the sample; NULL if it has none',
  keeps_values COMMENT 'True if values of columns that are not private were stored',
  table_count COMMENT 'Number of tables',
  failed_count COMMENT 'Number of tables that could not be measured',
  score COMMENT 'Score from 0 to 100',
  recorder_version COMMENT 'Version of recce_meta that wrote the row',
  status COMMENT 'complete or failed',
  reason COMMENT 'Why the measurement failed; NULL if it is complete'
)
COMMENT = 'One row per measurement of quality, written last: a measurement with a row is complete'
AS
