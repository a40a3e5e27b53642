CREATE OR REPLACE VIEW recce_metadata.latest_constraints (
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  run_id OPTIONS (description = 'Id of the run'),
  run_at OPTIONS (description = 'Time of the run'),
  unique_id OPTIONS (description = 'Unique id of the node'),
  schema_name OPTIONS (description = 'Schema of the relation'),
  name OPTIONS (description = 'Name of the relation'),
  ordinal OPTIONS (description = 'Position, starting at 1'),
  constraint_name OPTIONS (description = 'Name of the constraint; NULL if the warehouse generated it'),
  constraint_type OPTIONS (description = 'primary_key, unique, foreign_key, check or exclusion'),
  column_names OPTIONS (description = 'Names of the columns, joined by commas'),
  expression OPTIONS (description = 'Expression of a check or an exclusion'),
  parent_id OPTIONS (description = 'Unique id of the relation that a foreign key refers to'),
  on_update OPTIONS (description = 'Action of the foreign key on update'),
  on_delete OPTIONS (description = 'Action of the foreign key on delete'),
  options OPTIONS (description = 'JSON object of unusual properties (deferrable, not enforced, …)')
)
OPTIONS (description = 'One row per constraint of the latest scan of each project and environment')
AS
