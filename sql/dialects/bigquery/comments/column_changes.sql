CREATE OR REPLACE VIEW recce_metadata.column_changes (
  run_id OPTIONS (description = 'Id of the run'),
  previous_run_id OPTIONS (description = 'Id of the previous run in the same project and environment'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_at OPTIONS (description = 'Time of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  name OPTIONS (description = 'Name of the node'),
  column_name OPTIONS (description = 'Name of the column'),
  status OPTIONS (description = 'added, removed, retyped, altered or reordered'),
  column_type OPTIONS (description = 'Type of the column in the warehouse'),
  previous_column_type OPTIONS (description = 'Type of the column in the previous run'),
  ordinal OPTIONS (description = 'Position of the column, starting at 1'),
  previous_ordinal OPTIONS (description = 'Position of the column in the previous run'),
  node_status OPTIONS (description = 'How the node itself differs')
)
OPTIONS (description = 'One row per run, node and column that differs from the previous run of the same project and environment')
AS
