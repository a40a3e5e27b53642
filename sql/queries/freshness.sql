-- Freshness of the sources of a run.
SELECT
  unique_id,
  status,
  max_loaded_at,
  snapshotted_at,
  max_loaded_at_time_ago_in_s,
  CAST(criteria AS TEXT) AS criteria,
  error
FROM store_source_freshness
WHERE run_id = :run_id;
