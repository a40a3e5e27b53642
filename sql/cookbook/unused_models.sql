-- Which models does nothing but tests read?
-- Asked by: a team that wants to delete models.
-- Answer: shop | model.shop.old_orders | table | finance | 2 tests
-- Topic: Columns and lineage
SELECT project_name, unique_id, materialized, owner, tests
FROM unused_nodes
WHERE
  environment = 'base' -- edit: the environment
  AND resource_type = 'model'
ORDER BY project_name, unique_id;
