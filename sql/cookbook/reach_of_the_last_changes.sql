-- What do the last changes of production reach?
-- Asked by: a reviewer who wants to know which owners to inform.
-- Answer: 2026-10-31 06:00 | model.shop.orders (modified) | 12 models | 31 tests | 2 exposures | farthest 4 edges away
-- Topic: Changes
SELECT
  impact.run_at,
  impact.project_name,
  impact.changed_id,
  impact.changed_status,
  COUNT(CASE WHEN STARTS_WITH(impact.unique_id, 'model.') THEN 1 END) AS models,
  COUNT(CASE WHEN STARTS_WITH(impact.unique_id, 'test.') THEN 1 END) AS tests,
  COUNT(CASE WHEN STARTS_WITH(impact.unique_id, 'exposure.') THEN 1 END) AS exposures,
  COUNT(*) AS nodes_reached,
  MAX(impact.distance) AS farthest
FROM (
  SELECT project_name, environment, MAX(run_at) AS run_at
  FROM impacted_nodes
  GROUP BY project_name, environment
) AS last_change
JOIN impacted_nodes AS impact
  ON impact.project_name = last_change.project_name
  AND impact.environment = last_change.environment
  AND impact.run_at = last_change.run_at
WHERE last_change.environment = 'base' -- edit: the environment
GROUP BY impact.run_at, impact.project_name, impact.changed_id, impact.changed_status
ORDER BY nodes_reached DESC, impact.project_name, impact.changed_id;
