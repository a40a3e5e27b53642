CREATE OR REPLACE VIEW recce_metadata.column_analysis (
  run_id OPTIONS (description = 'Id of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  node_id OPTIONS (description = 'Unique id of the node'),
  tier OPTIONS (description = 'Source of the SQL, gold (a manifest), silver (a dbt project without one) or bronze (SQL files)'),
  reason OPTIONS (description = 'Why the node has no column lineage'),
  column_count OPTIONS (description = 'Number of columns')
)
OPTIONS (description = 'One row per run and analysed node')
AS
