CREATE OR REPLACE VIEW recce_metadata.quality_runs (
  quality_run_id OPTIONS (description = 'Id of the measurement'),
  run_id OPTIONS (description = 'Id of the run'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  started_at OPTIONS (description = 'Start of the measurement'),
  finished_at OPTIONS (description = 'End of the measurement'),
  target_name OPTIONS (description = 'Name of the target in profiles.yml'),
  sample_percent OPTIONS (description = 'Percentage of the sample; NULL if it has none'),
  sample_rows OPTIONS (description = 'Most rows of the sample; NULL if it has none'),
  sample_seed OPTIONS (description = 'Seed of the sample; NULL if it has none'),
  keeps_values OPTIONS (description = 'True if values of columns that are not private were stored'),
  table_count OPTIONS (description = 'Number of tables'),
  failed_count OPTIONS (description = 'Number of tables that could not be measured'),
  score OPTIONS (description = 'Score from 0 to 100'),
  recorder_version OPTIONS (description = 'Version of recce_meta that wrote the row'),
  status OPTIONS (description = 'complete or failed'),
  reason OPTIONS (description = 'Why the measurement failed; NULL if it is complete')
)
OPTIONS (description = 'One row per measurement of quality, written last: a measurement with a row is complete')
AS
