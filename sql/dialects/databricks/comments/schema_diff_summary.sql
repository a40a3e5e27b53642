CREATE OR REPLACE VIEW recce_metadata.schema_diff_summary (
  run_id COMMENT 'Id of the run',
  previous_run_id COMMENT 'Id of the previous run in the same project and environment',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_at COMMENT 'Time of the run',
  object_type COMMENT 'schema, table, view or column',
  added COMMENT 'Number of objects that were added',
  removed COMMENT 'Number of objects that were removed',
  modified COMMENT 'Number of objects that were modified',
  unchanged COMMENT 'Number of objects that did not change'
)
COMMENT 'Four rows per scan with a previous scan of the same scope, project and environment: the number of schemas, tables, views and columns that were added, removed, modified and unchanged since'
AS
