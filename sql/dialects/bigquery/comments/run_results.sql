CREATE OR REPLACE VIEW recce_metadata.run_results (
  run_id OPTIONS (description = 'Id of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  status OPTIONS (description = 'Status in the words of dbt'),
  seconds OPTIONS (description = 'Duration in seconds'),
  rows_affected OPTIONS (description = 'Rows that the node wrote'),
  bytes_processed OPTIONS (description = 'Bytes that the warehouse processed for the node'),
  failures OPTIONS (description = 'Number of rows that failed a test'),
  message OPTIONS (description = 'Message of dbt'),
  completed_at OPTIONS (description = 'Time when the node was completed, ISO 8601 in UTC')
)
OPTIONS (description = 'One row per run and node that dbt ran, from run_results.json')
AS
