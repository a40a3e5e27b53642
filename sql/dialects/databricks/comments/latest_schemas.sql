CREATE OR REPLACE VIEW recce_metadata.latest_schemas (
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_id COMMENT 'Id of the run',
  run_at COMMENT 'Time of the run',
  unique_id COMMENT 'Unique id of the node',
  database_name COMMENT 'Database of the schema',
  schema_name COMMENT 'Name of the schema',
  owner COMMENT 'Owner in the catalog',
  description COMMENT 'Comment on the schema in the catalog',
  table_count COMMENT 'Number of tables and external tables',
  view_count COMMENT 'Number of views and materialized views',
  column_count COMMENT 'Number of columns of all relations',
  row_estimate COMMENT 'Rows in the catalog, possibly an estimate; NULL if the catalog has none',
  bytes COMMENT 'Bytes in the catalog, possibly an estimate; NULL if the catalog has none'
)
COMMENT 'One row per schema of the latest scan of each project and environment'
AS
