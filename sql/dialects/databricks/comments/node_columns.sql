CREATE OR REPLACE VIEW recce_metadata.node_columns (
  run_id COMMENT 'Id of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  unique_id COMMENT 'Unique id of the node',
  name COMMENT 'Name of the node',
  ordinal COMMENT 'Position, starting at 1',
  column_name COMMENT 'Name of the column',
  column_type COMMENT 'Type of the column in the warehouse',
  description COMMENT 'Description of the column',
  documented COMMENT 'True if the YAML of the project names the column',
  documented_type COMMENT 'Type of the column in the YAML of the project',
  tags COMMENT 'JSON array of tags of the column',
  meta COMMENT 'Meta of the column, as JSON',
  not_null COMMENT 'True if the column is NOT NULL',
  default_value COMMENT 'Default of the column',
  generated_as COMMENT 'Expression that the values are computed from, after stored or virtual',
  identity_generation COMMENT 'always, by default or auto_increment',
  collation_name COMMENT 'Collation, if it is not the default of the type',
  resource_type COMMENT 'Kind of the node (model, source, table, …)',
  columns_from COMMENT 'Source of the columns, catalog (all, with types) or manifest (documented ones)',
  version_id COMMENT 'Id of the content of the node; equal ids are equal content, in any run'
)
COMMENT 'One row per run, node and column: the array `nodes.columns`, exploded'
AS
