CREATE OR REPLACE VIEW recce_metadata.table_quality_history (
  quality_run_id COMMENT 'Id of the measurement',
  run_id COMMENT 'Id of the run',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  started_at COMMENT 'Start of the measurement',
  unique_id COMMENT 'Unique id of the node',
  name COMMENT 'Name of the table',
  measured_at COMMENT 'Time when the measurement of the table ended',
  row_count COMMENT 'Number of rows',
  previous_row_count COMMENT 'Previous number of rows',
  row_delta COMMENT 'Difference from the previous number of rows',
  row_change COMMENT 'Difference from the previous number of rows, as a share of it',
  sampled_rows COMMENT 'Rows of the sample; NULL if all rows were measured',
  column_count COMMENT 'Number of columns',
  score COMMENT 'Score from 0 to 100',
  previous_score COMMENT 'Score of the previous measurement',
  score_change COMMENT 'Difference of the score from the previous measurement',
  previous_quality_run_id COMMENT 'Id of the previous measurement',
  next_quality_run_id COMMENT 'Id of the next measurement; NULL for the newest'
)
COMMENT = 'One row per measurement and measured table, with the previous measurement of the table in the same project and environment'
AS
