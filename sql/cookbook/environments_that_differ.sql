-- Which nodes differ between production and another environment now?
-- Asked by: a release manager.
-- Answer: shop | model.shop.orders | modified
-- Topic: Changes
WITH base AS (
  SELECT * FROM latest_nodes WHERE environment = 'base' -- edit: the environment
),
other AS (
  SELECT * FROM latest_nodes WHERE environment = 'current' -- edit: the other environment
)
SELECT
  COALESCE(base.project_name, other.project_name) AS project_name,
  COALESCE(base.unique_id, other.unique_id) AS unique_id,
  CASE WHEN base.unique_id IS NULL THEN 'added' WHEN other.unique_id IS NULL THEN 'removed' ELSE 'modified' END AS status
FROM base
FULL JOIN other ON other.project_name = base.project_name AND other.unique_id = base.unique_id
WHERE
  base.version_id IS DISTINCT FROM other.version_id
  AND COALESCE(base.project_name, other.project_name) IN (SELECT project_name FROM base)
  AND COALESCE(base.project_name, other.project_name) IN (SELECT project_name FROM other)
UNION ALL
SELECT DISTINCT project_name, CAST(NULL AS TEXT) AS unique_id, 'not compared: no run of the other environment' AS status
FROM base
WHERE project_name NOT IN (SELECT project_name FROM other)
ORDER BY project_name, unique_id;
