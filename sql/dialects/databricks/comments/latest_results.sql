CREATE OR REPLACE VIEW recce_metadata.latest_results (
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  unique_id COMMENT 'Unique id of the node',
  status COMMENT 'Status in the words of dbt',
  seconds COMMENT 'Duration in seconds',
  rows_affected COMMENT 'Rows that the node wrote',
  bytes_processed COMMENT 'Bytes that the warehouse processed for the node',
  failures COMMENT 'Number of rows that failed a test',
  message COMMENT 'Message of dbt',
  completed_at COMMENT 'Time when the node was completed, ISO 8601 in UTC',
  run_id COMMENT 'Id of the run with the result',
  run_at COMMENT 'Time of the run',
  git_sha COMMENT 'Commit of the run',
  is_current COMMENT 'Whether neither the node nor an ancestor has other code since this result; NULL if unknown'
)
COMMENT 'One row per project, environment and node of its latest run: the last result of the node in dbt, and its run'
AS
