CREATE OR REPLACE VIEW recce_metadata.latest_column_impact (
  run_id OPTIONS (description = 'Id of the run'),
  project_name OPTIONS (description = 'Project of the run'),
  environment OPTIONS (description = 'Environment of the run, by convention base for production and current for a branch'),
  node_id OPTIONS (description = 'Unique id of the changed node'),
  column_name OPTIONS (description = 'Changed column; NULL for a change of the rows of the node'),
  impacted_id OPTIONS (description = 'Unique id of the affected node'),
  impacted_column OPTIONS (description = 'Affected column; NULL if reach is not columns'),
  reach OPTIONS (description = 'columns if the change flows into impacted_column, rows if it decides over rows, unknown if columns are unknown'),
  distance OPTIONS (description = 'Number of edges on the shortest path'),
  confidence OPTIONS (description = 'Between 0 and 1, where 1 is certain')
)
OPTIONS (description = 'One row per project, environment, column and downstream effect of a change, in the latest run: its `column_impact`')
AS
