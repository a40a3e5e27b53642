-- One row per project, environment and source whose freshness dbt measured: the last measurement. Key: project_name,
-- environment, unique_id.
-- Example: which sources are late? SELECT unique_id, max_loaded_at FROM latest_freshness WHERE status IN ('warn', 'error')
CREATE OR REPLACE VIEW latest_freshness AS
SELECT
  project_name,
  environment,
  unique_id,
  run_id,
  run_at,
  name,
  source_name,
  schema_name,
  relation_name,
  status,
  previous_status,
  max_loaded_at,
  snapshotted_at,
  max_loaded_at_time_ago_in_s,
  criteria,
  error
FROM freshness_history
WHERE age = 1;
