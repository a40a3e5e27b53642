-- What share of the models is tested, described and owned, by schema?
-- Asked by: the owner of the quality goals.
-- Answer: shop | marts | 80 models | tested 0.53 | described 0.51 | owned 0.53 | columns described 0.23
-- Topic: Tests
SELECT
  project_name,
  schema_name,
  SUM(nodes) AS models,
  SUM(tested_nodes) * 1.0 / SUM(nodes) AS tested,
  SUM(described_nodes) * 1.0 / SUM(nodes) AS described,
  SUM(owned_nodes) * 1.0 / SUM(nodes) AS owned,
  SUM(described_columns) * 1.0 / NULLIF(SUM(columns_known), 0) AS columns_described
FROM coverage
WHERE
  environment = 'base' -- edit: the environment
  AND resource_type = 'model'
GROUP BY project_name, schema_name -- edit: folder instead of schema_name
ORDER BY project_name, schema_name;
