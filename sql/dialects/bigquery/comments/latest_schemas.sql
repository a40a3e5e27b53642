CREATE OR REPLACE VIEW recce_metadata.latest_schemas (
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_id OPTIONS (description = 'Id of the run'),
  run_at OPTIONS (description = 'Time of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  database_name OPTIONS (description = 'Database of the schema'),
  schema_name OPTIONS (description = 'Name of the schema'),
  owner OPTIONS (description = 'Owner in the catalog'),
  description OPTIONS (description = 'Comment on the schema in the catalog'),
  table_count OPTIONS (description = 'Number of tables and external tables'),
  view_count OPTIONS (description = 'Number of views and materialized views'),
  column_count OPTIONS (description = 'Number of columns of all relations'),
  row_estimate OPTIONS (description = 'Rows in the catalog, possibly an estimate; NULL if the catalog has none'),
  bytes OPTIONS (description = 'Bytes in the catalog, possibly an estimate; NULL if the catalog has none')
)
OPTIONS (description = 'One row per schema of the latest scan of each project and environment')
AS
