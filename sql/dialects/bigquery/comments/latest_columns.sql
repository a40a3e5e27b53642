CREATE OR REPLACE VIEW recce_metadata.latest_columns (
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_id OPTIONS (description = 'Id of the run'),
  run_at OPTIONS (description = 'Time of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  schema_name OPTIONS (description = 'Schema of the relation'),
  name OPTIONS (description = 'Name of the relation'),
  resource_type OPTIONS (description = 'Kind of the node (model, source, table, …)'),
  ordinal OPTIONS (description = 'Position, starting at 1'),
  column_name OPTIONS (description = 'Name of the column'),
  column_type OPTIONS (description = 'Type of the column in the warehouse'),
  not_null OPTIONS (description = 'True if the column is NOT NULL'),
  default_value OPTIONS (description = 'Default of the column'),
  generated_as OPTIONS (description = 'Expression that the values are computed from, after stored or virtual'),
  identity_generation OPTIONS (description = 'always, by default or auto_increment'),
  collation_name OPTIONS (description = 'Collation, if it is not the default of the type'),
  description OPTIONS (description = 'Comment on the column in the catalog')
)
OPTIONS (description = 'One row per column of the latest scan of each project and environment')
AS
