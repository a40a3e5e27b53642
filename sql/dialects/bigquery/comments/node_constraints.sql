CREATE OR REPLACE VIEW recce_metadata.node_constraints (
  run_id OPTIONS (description = 'Id of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  name OPTIONS (description = 'Name of the relation'),
  ordinal OPTIONS (description = 'Position, starting at 1'),
  constraint_name OPTIONS (description = 'Name of the constraint; NULL if the warehouse generated it'),
  constraint_type OPTIONS (description = 'primary_key, unique, foreign_key, check or exclusion'),
  column_names OPTIONS (description = 'Names of the columns, joined by commas'),
  columns OPTIONS (description = 'JSON array of the columns of the constraint'),
  expression OPTIONS (description = 'Expression of a check or an exclusion'),
  parent_id OPTIONS (description = 'Unique id of the relation that a foreign key refers to'),
  on_update OPTIONS (description = 'Action of the foreign key on update'),
  on_delete OPTIONS (description = 'Action of the foreign key on delete'),
  options OPTIONS (description = 'JSON object of unusual properties (deferrable, not enforced, …)'),
  resource_type OPTIONS (description = 'Kind of the node (model, source, table, …)'),
  version_id OPTIONS (description = 'Id of the content of the node; equal ids are equal content, in any run')
)
OPTIONS (description = 'One row per scanned run, relation and constraint of the relation, in the order: primary key, unique, foreign keys, checks')
AS
