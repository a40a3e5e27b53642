CREATE OR REPLACE VIEW recce_metadata.run_results (
  run_id COMMENT 'Id of the run',
  unique_id COMMENT 'Unique id of the node',
  status COMMENT 'Status in the words of dbt',
  seconds COMMENT 'Duration in seconds',
  rows_affected COMMENT 'Rows that the node wrote',
  bytes_processed COMMENT 'Bytes that the warehouse processed for the node',
  failures COMMENT 'Number of rows that failed a test',
  message COMMENT 'Message of dbt',
  completed_at COMMENT 'Time when the node was completed, ISO 8601 in UTC'
)
COMMENT 'One row per run and node that dbt ran, from run_results.json'
AS
