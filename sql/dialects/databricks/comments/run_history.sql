CREATE OR REPLACE VIEW recce_metadata.run_history (
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  unique_id COMMENT 'Unique id of the node',
  version_id COMMENT 'Id of the content of the node; equal ids are equal content, in any run',
  first_run_at COMMENT 'Time of the first run with this version',
  last_run_at COMMENT 'Time of the last run with this version',
  runs COMMENT 'Number of runs with this version',
  results COMMENT 'Number of results of dbt',
  failures COMMENT 'Number of results that failed',
  average_seconds COMMENT 'Average seconds of the results',
  longest_seconds COMMENT 'Seconds of the longest result',
  last_success_at COMMENT 'Time of the last run in which the node succeeded'
)
COMMENT 'One row per project, environment, node and version of the node: the first and last run with that content, and the results of its runs in dbt'
AS
