CREATE OR REPLACE VIEW recce_metadata.node_columns (
  run_id OPTIONS (description = 'Id of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  name OPTIONS (description = 'Name of the node'),
  ordinal OPTIONS (description = 'Position, starting at 1'),
  column_name OPTIONS (description = 'Name of the column'),
  column_type OPTIONS (description = 'Type of the column in the warehouse'),
  description OPTIONS (description = 'Description of the column'),
  documented OPTIONS (description = 'True if the YAML of the project names the column'),
  documented_type OPTIONS (description = 'Type of the column in the YAML of the project'),
  tags OPTIONS (description = 'JSON array of tags of the column'),
  meta OPTIONS (description = 'Meta of the column, as JSON'),
  not_null OPTIONS (description = 'True if the column is NOT NULL'),
  default_value OPTIONS (description = 'Default of the column'),
  generated_as OPTIONS (description = 'Expression that the values are computed from, after stored or virtual'),
  identity_generation OPTIONS (description = 'always, by default or auto_increment'),
  collation_name OPTIONS (description = 'Collation, if it is not the default of the type'),
  resource_type OPTIONS (description = 'Kind of the node (model, source, table, …)'),
  columns_from OPTIONS (description = 'Source of the columns, catalog (all, with types) or manifest (documented ones)'),
  version_id OPTIONS (description = 'Id of the content of the node; equal ids are equal content, in any run')
)
OPTIONS (description = 'One row per run, node and column: the array `nodes.columns`, exploded')
AS
