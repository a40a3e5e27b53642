COMMENT ON VIEW recce_metadata.column_usage IS 'One row per run, node and column that affects the node’s rows: in `filter`, `join`, `group` or `order`';
COMMENT ON COLUMN recce_metadata.column_usage.run_id IS 'Id of the run';
COMMENT ON COLUMN recce_metadata.column_usage.environment IS 'Environment of the run, by convention base for production and current for a branch';
COMMENT ON COLUMN recce_metadata.column_usage.node_id IS 'Unique id of the node';
COMMENT ON COLUMN recce_metadata.column_usage.parent_id IS 'Unique id of the node that is read, or the relation as the SQL names it';
COMMENT ON COLUMN recce_metadata.column_usage.parent_column IS 'Name of the column of the parent; * if no columns are named';
COMMENT ON COLUMN recce_metadata.column_usage.usage IS 'filter, join, group, order, or referenced if the SQL only names the column';
COMMENT ON COLUMN recce_metadata.column_usage.confidence IS 'Between 0 and 1, where 1 is certain';
COMMENT ON COLUMN recce_metadata.column_usage.tier IS 'Source of the SQL, gold (a manifest), silver (a dbt project without one) or bronze (SQL files)';
