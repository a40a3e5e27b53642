CREATE OR REPLACE VIEW recce_metadata.run_steps (
  run_id COMMENT 'Id of the run',
  previous_run_id COMMENT 'Id of the previous run in the same project and environment',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_at COMMENT 'Time of the run',
  previous_run_at COMMENT 'Time of the previous run',
  graph_id COMMENT 'Id of the graph of the run; equal graphs have equal ids',
  previous_graph_id COMMENT 'Id of the graph of the previous run',
  macro_set_id COMMENT 'Id of the macros of the run; equal macros have equal ids',
  previous_macro_set_id COMMENT 'Id of the macros of the previous run',
  node_count COMMENT 'Number of nodes of the run',
  dbt_version COMMENT 'Version of dbt',
  previous_dbt_version COMMENT 'Version of dbt of the previous run',
  extractor COMMENT 'Source of the run (dbt, database, …)'
)
COMMENT = 'One row per run that has a previous run in the same project and environment: the step from the previous run to this run'
AS
