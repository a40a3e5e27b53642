-- Which models take more than twice as long as they did before?
-- Asked by: the owner of the warehouse costs, or a user who waits for the morning run.
-- Answer: shop | model.shop.orders | 57.0 s in the last 7 days | 4.0 s before
-- Topic: Builds
SELECT
  project_name,
  unique_id,
  AVG(CASE WHEN run_at >= CURRENT_TIMESTAMP - INTERVAL '7 days' THEN seconds END) AS seconds_now, -- edit: the period
  AVG(CASE WHEN run_at < CURRENT_TIMESTAMP - INTERVAL '7 days' THEN seconds END) AS seconds_before -- edit: the period
FROM result_history
WHERE
  environment = 'base' -- edit: the environment
  AND resource_type = 'model'
  AND status = 'success'
  AND run_at >= CURRENT_TIMESTAMP - INTERVAL '60 days' -- edit: how far back
GROUP BY project_name, unique_id
HAVING
  AVG(CASE WHEN run_at >= CURRENT_TIMESTAMP - INTERVAL '7 days' THEN seconds END) -- edit: the period
  > 2 * AVG(CASE WHEN run_at < CURRENT_TIMESTAMP - INTERVAL '7 days' THEN seconds END) -- edit: the factor and the period
ORDER BY seconds_now DESC, project_name, unique_id;
