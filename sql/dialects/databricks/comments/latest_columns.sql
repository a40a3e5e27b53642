CREATE OR REPLACE VIEW recce_metadata.latest_columns (
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_id COMMENT 'Id of the run',
  run_at COMMENT 'Time of the run',
  unique_id COMMENT 'Unique id of the node',
  schema_name COMMENT 'Schema of the relation',
  name COMMENT 'Name of the relation',
  resource_type COMMENT 'Kind of the node (model, source, table, …)',
  ordinal COMMENT 'Position, starting at 1',
  column_name COMMENT 'Name of the column',
  column_type COMMENT 'Type of the column in the warehouse',
  not_null COMMENT 'True if the column is NOT NULL',
  default_value COMMENT 'Default of the column',
  generated_as COMMENT 'Expression that the values are computed from, after stored or virtual',
  identity_generation COMMENT 'always, by default or auto_increment',
  collation_name COMMENT 'Collation, if it is not the default of the type',
  description COMMENT 'Comment on the column in the catalog'
)
COMMENT 'One row per column of the latest scan of each project and environment'
AS
