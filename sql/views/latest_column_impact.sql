-- One row per project, environment, column and downstream effect of a change, in the latest run: its `column_impact`.
-- Filter by project_name and environment, and if possible by node_id and column_name.
-- Key: project_name, environment, node_id, column_name, impacted_id, impacted_column, reach.
CREATE OR REPLACE VIEW latest_column_impact AS
SELECT
  run.run_id,
  run.project_name,
  run.environment,
  impact.node_id,
  impact.column_name,
  impact.impacted_id,
  impact.impacted_column,
  impact.reach,
  impact.distance,
  impact.confidence
FROM latest_runs AS run
JOIN column_impact AS impact ON impact.run_id = run.run_id
-- Only in PostgreSQL, which would otherwise compute the view for each row of a join.
ORDER BY impact.distance + 0;
