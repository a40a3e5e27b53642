CREATE OR REPLACE VIEW recce_metadata.table_quality_history (
  quality_run_id OPTIONS (description = 'Id of the measurement'),
  run_id OPTIONS (description = 'Id of the run'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  started_at OPTIONS (description = 'Start of the measurement'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  name OPTIONS (description = 'Name of the table'),
  measured_at OPTIONS (description = 'Time when the measurement of the table ended'),
  row_count OPTIONS (description = 'Number of rows'),
  previous_row_count OPTIONS (description = 'Previous number of rows'),
  row_delta OPTIONS (description = 'Difference from the previous number of rows'),
  row_change OPTIONS (description = 'Difference from the previous number of rows, as a share of it'),
  sampled_rows OPTIONS (description = 'Rows of the sample; NULL if all rows were measured'),
  column_count OPTIONS (description = 'Number of columns'),
  score OPTIONS (description = 'Score from 0 to 100'),
  previous_score OPTIONS (description = 'Score of the previous measurement'),
  score_change OPTIONS (description = 'Difference of the score from the previous measurement'),
  previous_quality_run_id OPTIONS (description = 'Id of the previous measurement'),
  next_quality_run_id OPTIONS (description = 'Id of the next measurement; NULL for the newest')
)
OPTIONS (description = 'One row per measurement and measured table, with the previous measurement of the table in the same project and environment')
AS
