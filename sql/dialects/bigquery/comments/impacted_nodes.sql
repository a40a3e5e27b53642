CREATE OR REPLACE VIEW recce_metadata.impacted_nodes (
  run_id OPTIONS (description = 'Id of the run'),
  previous_run_id OPTIONS (description = 'Id of the previous run in the same project and environment'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_at OPTIONS (description = 'Time of the run'),
  changed_id OPTIONS (description = 'Unique id of the changed node'),
  changed_status OPTIONS (description = 'How the changed node differs (added, removed or modified)'),
  unique_id OPTIONS (description = 'Unique id of the changed node or of a node downstream of it'),
  distance OPTIONS (description = 'Number of edges on the shortest path')
)
OPTIONS (description = 'One row per run, changed node and downstream node')
AS
