CREATE OR REPLACE VIEW recce_metadata.column_usage (
  run_id COMMENT 'Id of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  node_id COMMENT 'Unique id of the node',
  parent_id COMMENT 'Unique id of the node that is read, or the relation as the SQL names it',
  parent_column COMMENT 'Name of the column of the parent; * if no columns are named',
  usage COMMENT 'filter, join, group, order, or referenced if the SQL only names the column',
  confidence COMMENT 'Between 0 and 1, where 1 is certain',
  tier COMMENT 'Source of the SQL, gold (a manifest), silver (a dbt project without one) or bronze (SQL files)'
)
COMMENT 'One row per run, node and column that affects the node’s rows: in `filter`, `join`, `group` or `order`'
AS
