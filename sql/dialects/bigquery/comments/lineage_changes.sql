CREATE OR REPLACE VIEW recce_metadata.lineage_changes (
  run_id OPTIONS (description = 'Id of the run'),
  previous_run_id OPTIONS (description = 'Id of the previous run in the same project and environment'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_at OPTIONS (description = 'Time of the run'),
  node_id OPTIONS (description = 'Unique id of the node that reads the parent'),
  parent_id OPTIONS (description = 'Unique id of the node that is read'),
  status OPTIONS (description = 'added or removed'),
  node_status OPTIONS (description = 'How the node itself differs')
)
OPTIONS (description = 'One row per run and edge that differs from the previous run: added if only this run has it, removed if only the previous run has it')
AS
