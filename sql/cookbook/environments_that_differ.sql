-- Which nodes differ between production and another environment now?
-- Asked by: a release manager.
-- Answer: shop | model.shop.orders | modified
-- Topic: Changes
SELECT
  COALESCE(base.project_name, other.project_name) AS project_name,
  COALESCE(base.unique_id, other.unique_id) AS unique_id,
  CASE WHEN base.unique_id IS NULL THEN 'added' WHEN other.unique_id IS NULL THEN 'removed' ELSE 'modified' END AS status
FROM (SELECT * FROM latest_nodes WHERE environment = 'base') AS base -- edit: the environment
FULL JOIN (SELECT * FROM latest_nodes WHERE environment = 'staging') AS other -- edit: the other environment
  ON other.project_name = base.project_name AND other.unique_id = base.unique_id
WHERE base.version_id IS DISTINCT FROM other.version_id
ORDER BY project_name, unique_id;
