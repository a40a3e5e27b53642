CREATE OR REPLACE VIEW recce_metadata.latest_column_impact (
  run_id COMMENT 'Id of the run',
  project_name COMMENT 'Project of the run',
  environment COMMENT 'Environment of the run, by convention base for production and current for a branch',
  node_id COMMENT 'Unique id of the changed node',
  column_name COMMENT 'Changed column; NULL for a change of the rows of the node',
  impacted_id COMMENT 'Unique id of the affected node',
  impacted_column COMMENT 'Affected column; NULL if reach is not columns',
  reach COMMENT 'columns if the change flows into impacted_column, rows if it decides over rows, unknown if columns are unknown',
  distance COMMENT 'Number of edges on the shortest path',
  confidence COMMENT 'Between 0 and 1, where 1 is certain'
)
COMMENT 'One row per project, environment, column and downstream effect of a change, in the latest run: its `column_impact`'
AS
