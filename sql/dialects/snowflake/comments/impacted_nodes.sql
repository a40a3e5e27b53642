CREATE OR REPLACE VIEW recce_metadata.impacted_nodes (
  run_id COMMENT 'Id of the run',
  previous_run_id COMMENT 'Id of the previous run in the same project and environment',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_at COMMENT 'Time of the run',
  changed_id COMMENT 'Unique id of the changed node',
  changed_status COMMENT 'How the changed node differs (added, removed or modified)',
  unique_id COMMENT 'Unique id of the changed node or of a node downstream of it',
  distance COMMENT 'Number of edges on the shortest path'
)
COMMENT = 'One row per run, changed node and downstream node'
AS
