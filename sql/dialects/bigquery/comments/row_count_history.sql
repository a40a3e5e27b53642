CREATE OR REPLACE VIEW recce_metadata.row_count_history (
  run_id OPTIONS (description = 'Id of the run'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_at OPTIONS (description = 'Time of the run'),
  git_sha OPTIONS (description = 'Commit of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  row_count OPTIONS (description = 'Number of rows'),
  counted_at OPTIONS (description = 'Time of the count'),
  previous_run_id OPTIONS (description = 'Id of the previous run in the same project and environment'),
  previous_row_count OPTIONS (description = 'Previous number of rows'),
  row_delta OPTIONS (description = 'Difference from the previous number of rows'),
  row_change OPTIONS (description = 'Difference from the previous number of rows, as a share of it'),
  next_run_id OPTIONS (description = 'Id of the next run with such a figure; NULL for the newest')
)
OPTIONS (description = 'One row per run and node with a row count, with the previous count in the same project and environment')
AS
