-- How many seconds did the models of each owner cost in the last 30 days?
-- Asked by: the owner of the warehouse costs.
-- Answer: growth | 1,247 s | 41 models
-- Topic: Builds
SELECT owner, SUM(seconds) AS seconds, COUNT(*) AS models, SUM(bytes_processed) AS bytes_processed
FROM (
  SELECT owner, unique_id, SUM(seconds) AS seconds, SUM(bytes_processed) AS bytes_processed
  FROM result_history
  WHERE
    environment = 'base' -- edit: the environment
    AND resource_type = 'model'
    AND run_at > CURRENT_TIMESTAMP - INTERVAL '30 days' -- edit: the period
  GROUP BY owner, unique_id
) AS by_model
GROUP BY owner
ORDER BY seconds DESC, owner;
