CREATE OR REPLACE VIEW recce_metadata.latest_scans (
  run_id OPTIONS (description = 'Id of the run'),
  run_at OPTIONS (description = 'Time of the run'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  adapter_type OPTIONS (description = 'Warehouse of the run (postgres, snowflake, …)'),
  target_name OPTIONS (description = 'Name of the target in profiles.yml'),
  target_database OPTIONS (description = 'Database of the target'),
  command OPTIONS (description = 'Command of dbt, or the scope of a scan'),
  node_count OPTIONS (description = 'Number of nodes of the run'),
  edge_count OPTIONS (description = 'Number of edges of the run'),
  recorded_at OPTIONS (description = 'Time when the run was recorded'),
  recorder_version OPTIONS (description = 'Version of recce_meta that wrote the row'),
  graph_id OPTIONS (description = 'Id of the graph of the run; equal graphs have equal ids'),
  column_graph_id OPTIONS (description = 'Id of the column lineage of the run; NULL if it was recorded without columns')
)
OPTIONS (description = 'One row per project and environment: its latest scan of a live database')
AS
