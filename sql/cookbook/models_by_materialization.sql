-- How many models does each project have, by materialization?
-- Asked by: a team lead.
-- Answer: shop | base | view | 100 models
-- Topic: Project
SELECT project_name, environment, materialized, COUNT(*) AS models
FROM latest_nodes
WHERE resource_type = 'model'
GROUP BY project_name, environment, materialized
ORDER BY project_name, environment, materialized;
