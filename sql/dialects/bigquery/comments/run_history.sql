CREATE OR REPLACE VIEW recce_metadata.run_history (
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  version_id OPTIONS (description = 'Id of the content of the node; equal ids are equal content, in any run'),
  first_run_at OPTIONS (description = 'Time of the first run with this version'),
  last_run_at OPTIONS (description = 'Time of the last run with this version'),
  runs OPTIONS (description = 'Number of runs with this version'),
  results OPTIONS (description = 'Number of results of dbt'),
  failures OPTIONS (description = 'Number of results that failed'),
  average_seconds OPTIONS (description = 'Average seconds of the results'),
  longest_seconds OPTIONS (description = 'Seconds of the longest result'),
  last_success_at OPTIONS (description = 'Time of the last run in which the node succeeded')
)
OPTIONS (description = 'One row per project, environment, node and version of the node: the first and last run with that content, and the results of its runs in dbt')
AS
