-- Which columns of described models are not described, model by model?
-- Asked by: the owner of the documentation.
-- Answer: shop | model.shop.orders | 3 of 11 columns | amount, status, updated_at
-- Topic: Project
SELECT
  run.project_name,
  item.unique_id,
  COUNT(CASE WHEN TRIM(item.description) = '' THEN 1 END) AS undescribed,
  COUNT(*) AS columns_known,
  STRING_AGG(CASE WHEN TRIM(item.description) = '' THEN item.column_name END, ', ' ORDER BY item.ordinal) AS undescribed_columns
FROM latest_runs AS run
JOIN node_columns AS item ON item.run_id = run.run_id
WHERE run.environment = 'base' AND item.resource_type = 'model' -- edit: the environment
GROUP BY run.project_name, item.unique_id
HAVING COUNT(CASE WHEN TRIM(item.description) = '' THEN 1 END) > 0
ORDER BY undescribed DESC, run.project_name, item.unique_id;
