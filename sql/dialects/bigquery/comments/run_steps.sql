CREATE OR REPLACE VIEW recce_metadata.run_steps (
  run_id OPTIONS (description = 'Id of the run'),
  previous_run_id OPTIONS (description = 'Id of the previous run in the same project and environment'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_at OPTIONS (description = 'Time of the run'),
  previous_run_at OPTIONS (description = 'Time of the previous run'),
  graph_id OPTIONS (description = 'Id of the graph of the run; equal graphs have equal ids'),
  previous_graph_id OPTIONS (description = 'Id of the graph of the previous run'),
  macro_set_id OPTIONS (description = 'Id of the macros of the run; equal macros have equal ids'),
  previous_macro_set_id OPTIONS (description = 'Id of the macros of the previous run'),
  node_count OPTIONS (description = 'Number of nodes of the run'),
  dbt_version OPTIONS (description = 'Version of dbt'),
  previous_dbt_version OPTIONS (description = 'Version of dbt of the previous run'),
  extractor OPTIONS (description = 'Source of the run (dbt, database, …)')
)
OPTIONS (description = 'One row per run that has a previous run in the same project and environment: the step from the previous run to this run')
AS
