SELECT unique_id, status, max_loaded_at, max_loaded_at_time_ago_in_s / 3600 AS hours_old
FROM recce_metadata.latest_freshness
WHERE environment = 'base'
ORDER BY max_loaded_at
