-- How many seconds and bytes did each schema cost in the last 30 days?
-- Asked by: the owner of the warehouse costs.
-- Answer: shop | marts | 6,754 s | 2,381 results | 1.2 TB
-- Topic: Builds
SELECT
  project_name,
  schema_name,
  SUM(seconds) AS seconds,
  COUNT(*) AS results,
  SUM(bytes_processed) AS bytes_processed
FROM result_history
WHERE
  environment = 'base' -- edit: the environment
  AND resource_type = 'model'
  AND run_at > CURRENT_TIMESTAMP - INTERVAL '30 days' -- edit: the period
GROUP BY project_name, schema_name
ORDER BY seconds DESC, project_name, schema_name;
