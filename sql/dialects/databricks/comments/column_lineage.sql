CREATE OR REPLACE VIEW recce_metadata.column_lineage (
  run_id COMMENT 'Id of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  node_id COMMENT 'Unique id of the node',
  column_name COMMENT 'Output column of the node',
  parent_id COMMENT 'Unique id of the node that is read, or the relation as the SQL names it',
  parent_column COMMENT 'Name of the column of the parent; * if no columns are named',
  kind COMMENT 'passthrough, renamed, derived, aggregated, source or constant',
  expression COMMENT 'First 1,000 characters of the expression; NULL if the column is passed through',
  confidence COMMENT 'Between 0 and 1, where 1 is certain',
  tier COMMENT 'Source of the SQL, gold (a manifest), silver (a dbt project without one) or bronze (SQL files)'
)
COMMENT 'One row per run, node, output column and source column of its value'
AS
