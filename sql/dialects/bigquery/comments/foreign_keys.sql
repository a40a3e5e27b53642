CREATE OR REPLACE VIEW recce_metadata.foreign_keys (
  run_id OPTIONS (description = 'Id of the run'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  node_id OPTIONS (description = 'Unique id of the relation with the foreign key'),
  ordinal OPTIONS (description = 'Position, starting at 1'),
  name OPTIONS (description = 'Name of the foreign key; NULL if the warehouse generated it'),
  column_names OPTIONS (description = 'Names of the columns, joined by commas'),
  parent_id OPTIONS (description = 'Unique id of the relation that the key refers to'),
  parent_column_names OPTIONS (description = 'Names of the referenced columns, joined by commas'),
  columns OPTIONS (description = 'JSON array of the columns of the key'),
  parent_columns OPTIONS (description = 'JSON array of the referenced columns'),
  on_update OPTIONS (description = 'Action of the foreign key on update'),
  on_delete OPTIONS (description = 'Action of the foreign key on delete')
)
OPTIONS (description = 'One row per scanned run, relation and foreign key of the relation: rows of `node_id` refer to rows of `parent_id`')
AS
