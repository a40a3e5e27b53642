CREATE OR REPLACE VIEW recce_metadata.latest_constraints (
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  run_id COMMENT 'Id of the run',
  run_at COMMENT 'Time of the run',
  unique_id COMMENT 'Unique id of the node',
  schema_name COMMENT 'Schema of the relation',
  name COMMENT 'Name of the relation',
  ordinal COMMENT 'Position, starting at 1',
  constraint_name COMMENT 'Name of the constraint; NULL if the warehouse generated it',
  constraint_type COMMENT 'primary_key, unique, foreign_key, check or exclusion',
  column_names COMMENT 'Names of the columns, joined by commas',
  expression COMMENT 'Expression of a check or an exclusion',
  parent_id COMMENT 'Unique id of the relation that a foreign key refers to',
  on_update COMMENT 'Action of the foreign key on update',
  on_delete COMMENT 'Action of the foreign key on delete',
  options COMMENT 'JSON object of unusual properties (deferrable, not enforced, …)'
)
COMMENT 'One row per constraint of the latest scan of each project and environment'
AS
