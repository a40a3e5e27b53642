CREATE OR REPLACE VIEW recce_metadata.latest_results (
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  status OPTIONS (description = 'Status in the words of dbt'),
  seconds OPTIONS (description = 'Duration in seconds'),
  rows_affected OPTIONS (description = 'Rows that the node wrote'),
  bytes_processed OPTIONS (description = 'Bytes that the warehouse processed for the node'),
  failures OPTIONS (description = 'Number of rows that failed a test'),
  message OPTIONS (description = 'Message of dbt'),
  completed_at OPTIONS (description = 'Time when the node was completed, ISO 8601 in UTC'),
  run_id OPTIONS (description = 'Id of the run with the result'),
  run_at OPTIONS (description = 'Time of the run'),
  git_sha OPTIONS (description = 'Commit of the run'),
  is_current OPTIONS (description = 'Whether neither the node nor an ancestor has other code since this result; NULL if unknown')
)
OPTIONS (description = 'One row per project, environment and node of its latest run: the last result of the node in dbt, and its run')
AS
