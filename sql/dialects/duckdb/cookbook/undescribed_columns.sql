-- hand-written: in DuckDB the view `node_columns` would unnest the columns of every run, this query those of one.
-- Which columns of described models are not described, model by model?
-- Asked by: the owner of the documentation.
-- Answer: shop | model.shop.orders | 3 of 11 columns | amount, status, updated_at
-- Topic: Project
WITH items AS (
  SELECT
    run.project_name,
    node.unique_id,
    UNNEST(CAST(node."columns" AS JSON[])) AS content,
    GENERATE_SUBSCRIPTS(CAST(node."columns" AS JSON[]), 1) AS ordinal
  FROM recce_metadata.latest_runs AS run
  JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = run.graph_id
  JOIN recce_metadata.store_node_versions AS node ON node.version_id = place.version_id
  WHERE run.environment = 'base' AND node.resource_type = 'model' -- edit: the environment
), known AS (
  SELECT
    project_name,
    unique_id,
    ordinal,
    content ->> 'name' AS column_name,
    TRIM(COALESCE(content ->> 'description', '')) = '' AS is_undescribed
  FROM items
)
SELECT
  project_name,
  unique_id,
  COUNT(CASE WHEN is_undescribed THEN 1 END) AS undescribed,
  COUNT(*) AS columns_known,
  STRING_AGG(CASE WHEN is_undescribed THEN column_name END, ', ' ORDER BY ordinal) AS undescribed_columns
FROM known
GROUP BY project_name, unique_id
HAVING COUNT(CASE WHEN is_undescribed THEN 1 END) > 0
ORDER BY undescribed DESC, project_name, unique_id;
