SELECT unique_id, owner, seconds, rows_affected, run_at
FROM recce_metadata.latest_results
WHERE environment = 'base' AND resource_type = 'model' AND seconds IS NOT NULL
ORDER BY seconds DESC
LIMIT 20
