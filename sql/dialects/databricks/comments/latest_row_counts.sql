CREATE OR REPLACE VIEW recce_metadata.latest_row_counts (
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  unique_id COMMENT 'Unique id of the node',
  row_count COMMENT 'Number of rows',
  counted_at COMMENT 'Time of the count',
  run_id COMMENT 'Id of the run',
  run_at COMMENT 'Time of the run',
  git_sha COMMENT 'Commit of the run',
  previous_run_id COMMENT 'Id of the previous run in the same project and environment',
  previous_row_count COMMENT 'Previous number of rows',
  row_delta COMMENT 'Difference from the previous number of rows',
  row_change COMMENT 'Difference from the previous number of rows, as a share of it',
  is_current COMMENT 'Whether neither the node nor an ancestor has other code since the build of the counted rows; NULL if unknown or built again'
)
COMMENT 'One row per project, environment and node: the latest row count, its run, and the previous count'
AS
