-- What do the changes of the last production run reach?
-- Asked by: a reviewer who wants to know whom to tell.
-- Answer: model.shop.orders (modified) | 12 models | 31 tests | 2 exposures | farthest 4 edges away
SELECT
  impact.project_name,
  impact.changed_id,
  impact.changed_status,
  COUNT(CASE WHEN STARTS_WITH(impact.unique_id, 'model.') THEN 1 END) AS models,
  COUNT(CASE WHEN STARTS_WITH(impact.unique_id, 'test.') THEN 1 END) AS tests,
  COUNT(CASE WHEN STARTS_WITH(impact.unique_id, 'exposure.') THEN 1 END) AS exposures,
  COUNT(*) AS nodes_reached,
  MAX(impact.distance) AS farthest
FROM recce_metadata.latest_runs AS run
JOIN recce_metadata.impacted_nodes AS impact
  ON impact.run_id = run.run_id
WHERE
  run.environment = 'base' /* edit: the environment */
GROUP BY
  impact.project_name,
  impact.changed_id,
  impact.changed_status
ORDER BY
  nodes_reached DESC NULLS FIRST,
  impact.project_name,
  impact.changed_id;
