CREATE OR REPLACE VIEW recce_metadata.column_diff_history (
  diff_id OPTIONS (description = 'Id of the stored data diff'),
  taken_at OPTIONS (description = 'Time of the data diff'),
  project_name OPTIONS (description = 'Project of the run'),
  base_run_id OPTIONS (description = 'Id of the base run'),
  current_run_id OPTIONS (description = 'Id of the current run'),
  current_environment OPTIONS (description = 'Environment of the current run'),
  current_git_sha OPTIONS (description = 'Commit of the current run'),
  branch OPTIONS (description = 'Branch of the run'),
  pull_request OPTIONS (description = 'Pull request of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  subject_name OPTIONS (description = 'Name of the compared node, relation or query'),
  ordinal OPTIONS (description = 'Position, starting at 1'),
  column_name OPTIONS (description = 'Name of the column'),
  status OPTIONS (description = 'equal, changed, incomparable, added (only in current) or removed (only in base)'),
  base_type OPTIONS (description = 'Type of the column on the base side'),
  current_type OPTIONS (description = 'Type of the column on the current side'),
  compared_as OPTIONS (description = 'Type in which the values were compared'),
  matched OPTIONS (description = 'Rows whose values match'),
  mismatched OPTIONS (description = 'Rows whose values differ'),
  match_share OPTIONS (description = 'Share of the common rows whose values match'),
  null_to_value OPTIONS (description = 'Rows that are NULL in base and have a value in current'),
  value_to_null OPTIONS (description = 'Rows that have a value in base and are NULL in current'),
  mean_difference OPTIONS (description = 'Mean difference of numbers, current minus base'),
  largest_difference OPTIONS (description = 'Largest absolute difference of numbers'),
  reason OPTIONS (description = 'Why the column could not be compared')
)
OPTIONS (description = 'One row per saved value diff and column')
AS
