-- Which models took the longest when production last built them?
-- Asked by: the owner of the warehouse costs, or a user who waits for the morning run.
-- Answer: shop | model.shop.orders | table | 412.0 s | growth | 2026-11-18 06:00
-- Topic: Builds
SELECT project_name, unique_id, materialized, seconds, rows_affected, owner, run_at
FROM latest_results
WHERE
  environment = 'base' -- edit: the environment
  AND resource_type = 'model'
  AND seconds IS NOT NULL
ORDER BY seconds DESC, project_name, unique_id
LIMIT 20; -- edit: number of models
