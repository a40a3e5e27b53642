-- One row per run and source whose freshness dbt measured, from sources.json. Key: run_id, unique_id.
CREATE OR REPLACE VIEW source_freshness AS
SELECT
  run_id,
  unique_id,
  status,
  max_loaded_at,
  snapshotted_at,
  max_loaded_at_time_ago_in_s,
  criteria,
  error
FROM store_source_freshness;
