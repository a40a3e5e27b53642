CREATE OR REPLACE VIEW recce_metadata.schema_diff_summary (
  run_id OPTIONS (description = 'Id of the run'),
  previous_run_id OPTIONS (description = 'Id of the previous run in the same project and environment'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_at OPTIONS (description = 'Time of the run'),
  object_type OPTIONS (description = 'schema, table, view or column'),
  added OPTIONS (description = 'Number of objects that were added'),
  removed OPTIONS (description = 'Number of objects that were removed'),
  modified OPTIONS (description = 'Number of objects that were modified'),
  unchanged OPTIONS (description = 'Number of objects that did not change')
)
OPTIONS (description = 'Four rows per scan with a previous scan of the same scope, project and environment: the number of schemas, tables, views and columns that were added, removed, modified and unchanged since')
AS
