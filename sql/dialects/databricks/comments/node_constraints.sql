CREATE OR REPLACE VIEW recce_metadata.node_constraints (
  run_id COMMENT 'Id of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  unique_id COMMENT 'Unique id of the node',
  name COMMENT 'Name of the relation',
  ordinal COMMENT 'Position, starting at 1',
  constraint_name COMMENT 'Name of the constraint; NULL if the warehouse generated it',
  constraint_type COMMENT 'primary_key, unique, foreign_key, check or exclusion',
  column_names COMMENT 'Names of the columns, joined by commas',
  columns COMMENT 'JSON array of the columns of the constraint',
  expression COMMENT 'Expression of a check or an exclusion',
  parent_id COMMENT 'Unique id of the relation that a foreign key refers to',
  on_update COMMENT 'Action of the foreign key on update',
  on_delete COMMENT 'Action of the foreign key on delete',
  options COMMENT 'JSON object of unusual properties (deferrable, not enforced, …)',
  resource_type COMMENT 'Kind of the node (model, source, table, …)',
  version_id COMMENT 'Id of the content of the node; equal ids are equal content, in any run'
)
COMMENT 'One row per scanned run, relation and constraint of the relation, in the order: primary key, unique, foreign keys, checks'
AS
