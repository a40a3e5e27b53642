CREATE OR REPLACE VIEW recce_metadata.latest_row_counts (
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  row_count OPTIONS (description = 'Number of rows'),
  counted_at OPTIONS (description = 'Time of the count'),
  run_id OPTIONS (description = 'Id of the run'),
  run_at OPTIONS (description = 'Time of the run'),
  git_sha OPTIONS (description = 'Commit of the run'),
  previous_run_id OPTIONS (description = 'Id of the previous run in the same project and environment'),
  previous_row_count OPTIONS (description = 'Previous number of rows'),
  row_delta OPTIONS (description = 'Difference from the previous number of rows'),
  row_change OPTIONS (description = 'Difference from the previous number of rows, as a share of it'),
  is_current OPTIONS (description = 'Whether neither the node nor an ancestor has other code since the build of the counted rows; NULL if unknown or built again')
)
OPTIONS (description = 'One row per project, environment and node: the latest row count, its run, and the previous count')
AS
