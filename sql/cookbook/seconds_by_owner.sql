-- How many seconds did the models of each owner cost in the last 30 days?
-- Asked by: the owner of the warehouse costs.
-- Answer: growth | 1,247 s | 41 models
-- Topic: Builds
SELECT owners.owner, SUM(built.seconds) AS seconds, COUNT(*) AS models, SUM(built.bytes_processed) AS bytes_processed
FROM (
  SELECT project_name, environment, unique_id, SUM(seconds) AS seconds, SUM(bytes_processed) AS bytes_processed
  FROM result_history
  WHERE
    environment = 'base' -- edit: the environment
    AND resource_type = 'model'
    AND run_at > CURRENT_TIMESTAMP - INTERVAL '30 days' -- edit: the period
  GROUP BY project_name, environment, unique_id
) AS built
LEFT JOIN node_owners AS owners
  ON owners.project_name = built.project_name
  AND owners.environment = built.environment
  AND owners.unique_id = built.unique_id
GROUP BY owners.owner
ORDER BY seconds DESC, owners.owner;
