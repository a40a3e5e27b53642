CREATE OR REPLACE VIEW recce_metadata.column_lineage (
  run_id OPTIONS (description = 'Id of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  node_id OPTIONS (description = 'Unique id of the node'),
  column_name OPTIONS (description = 'Output column of the node'),
  parent_id OPTIONS (description = 'Unique id of the node that is read, or the relation as the SQL names it'),
  parent_column OPTIONS (description = 'Name of the column of the parent; * if no columns are named'),
  kind OPTIONS (description = 'passthrough, renamed, derived, aggregated, source or constant'),
  expression OPTIONS (description = 'First 1,000 characters of the expression; NULL if the column is passed through'),
  confidence OPTIONS (description = 'Between 0 and 1, where 1 is certain'),
  tier OPTIONS (description = 'Source of the SQL, gold (a manifest), silver (a dbt project without one) or bronze (SQL files)')
)
OPTIONS (description = 'One row per run, node, output column and source column of its value')
AS
