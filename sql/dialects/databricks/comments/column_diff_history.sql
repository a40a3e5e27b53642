CREATE OR REPLACE VIEW recce_metadata.column_diff_history (
  diff_id COMMENT 'Id of the stored data diff',
  taken_at COMMENT 'Time of the data diff',
  project_name COMMENT 'Project of the run',
  base_run_id COMMENT 'Id of the base run',
  current_run_id COMMENT 'Id of the current run',
  current_environment COMMENT 'Environment of the current run',
  current_git_sha COMMENT 'Commit of the current run',
  branch COMMENT 'Branch of the run',
  pull_request COMMENT 'Pull request of the run',
  unique_id COMMENT 'Unique id of the node',
  subject_name COMMENT 'Name of the compared node, relation or query',
  ordinal COMMENT 'Position, starting at 1',
  column_name COMMENT 'Name of the column',
  status COMMENT 'equal, changed, incomparable, added (only in current) or removed (only in base)',
  base_type COMMENT 'Type of the column on the base side',
  current_type COMMENT 'Type of the column on the current side',
  compared_as COMMENT 'Type in which the values were compared',
  matched COMMENT 'Rows whose values match',
  mismatched COMMENT 'Rows whose values differ',
  match_share COMMENT 'Share of the common rows whose values match',
  null_to_value COMMENT 'Rows that are NULL in base and have a value in current',
  value_to_null COMMENT 'Rows that have a value in base and are NULL in current',
  mean_difference COMMENT 'Mean difference of numbers, current minus base',
  largest_difference COMMENT 'Largest absolute difference of numbers',
  reason COMMENT 'Why the column could not be compared'
)
COMMENT 'One row per saved value diff and column'
AS
