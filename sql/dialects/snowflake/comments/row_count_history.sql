CREATE OR REPLACE VIEW recce_metadata.row_count_history (
  run_id COMMENT 'Id of the run',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_at COMMENT 'Time of the run',
  git_sha COMMENT 'Commit of the run',
  unique_id COMMENT 'Unique id of the node',
  row_count COMMENT 'Number of rows',
  counted_at COMMENT 'Time of the count',
  previous_run_id COMMENT 'Id of the previous run in the same project and environment',
  previous_row_count COMMENT 'Previous number of rows',
  row_delta COMMENT 'Difference from the previous number of rows',
  row_change COMMENT 'Difference from the previous number of rows, as a share of it',
  next_run_id COMMENT 'Id of the next run with such a figure; NULL for the newest'
)
COMMENT = 'One row per run and node with a row count, with the previous count in the same project and environment'
AS
