CREATE OR REPLACE VIEW recce_metadata.foreign_keys (
  run_id COMMENT 'Id of the run',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  node_id COMMENT 'Unique id of the relation with the foreign key',
  ordinal COMMENT 'Position, starting at 1',
  name COMMENT 'Name of the foreign key; NULL if the warehouse generated it',
  column_names COMMENT 'Names of the columns, joined by commas',
  parent_id COMMENT 'Unique id of the relation that the key refers to',
  parent_column_names COMMENT 'Names of the referenced columns, joined by commas',
  columns COMMENT 'JSON array of the columns of the key',
  parent_columns COMMENT 'JSON array of the referenced columns',
  on_update COMMENT 'Action of the foreign key on update',
  on_delete COMMENT 'Action of the foreign key on delete'
)
COMMENT = 'One row per scanned run, relation and foreign key of the relation: rows of `node_id` refer to rows of `parent_id`'
AS
