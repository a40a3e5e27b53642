-- Which models of production were not built for over 7 days?
-- Asked by: the owner of a dashboard with old figures.
-- Answer: shop | model.shop.orders | growth | last built 2026-11-10 06:00
-- Topic: Builds
SELECT project_name, unique_id, owner, status, run_at, run_id
FROM latest_results
WHERE
  environment = 'base' -- edit: the environment
  AND resource_type = 'model'
  AND run_at < CURRENT_TIMESTAMP - INTERVAL '7 days' -- edit: the period
ORDER BY run_at, project_name, unique_id;
