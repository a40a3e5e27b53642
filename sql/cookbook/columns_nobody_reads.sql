-- Which columns of models with downstream nodes are never read?
-- Asked by: an engineer who cleans up a project: an unused column may be removed.
-- Answer: shop | model.shop.stg_orders | discount_code
-- Topic: Columns and lineage
-- Excluded are models without downstream nodes, whose readers are outside the project, and models with a reader
-- whose columns are unknown, such as an exposure.
WITH made AS MATERIALIZED (
  SELECT run.project_name, edge.node_id, edge.column_name, edge.parent_id, edge.parent_column
  FROM latest_runs AS run
  JOIN column_lineage AS edge ON edge.run_id = run.run_id
  WHERE run.environment = 'base' -- edit: the environment
), known AS MATERIALIZED (
  SELECT run.run_id, place.unique_id
  FROM latest_runs AS run
  JOIN store_column_parts AS part ON part.column_graph_id = run.column_graph_id
  JOIN store_column_part_nodes AS place ON place.part_id = part.part_id
  JOIN store_column_analyses AS analysis ON analysis.lineage_id = place.lineage_id
  WHERE run.environment = 'base' AND analysis.reason IS NULL -- edit: the environment
), seen AS (
  SELECT
    project_name, node_id, column_name,
    1 AS is_made, 0 AS is_read, 0 AS has_reader, 0 AS is_unsure
  FROM made
  UNION ALL
  SELECT
    project_name, parent_id, parent_column,
    0, 1, 1, CASE WHEN parent_column = '*' THEN 1 ELSE 0 END
  FROM made
  WHERE parent_id IS NOT NULL
  UNION ALL
  SELECT
    run.project_name, reader.parent_id, reader.parent_column,
    0, 1, 1, CASE WHEN reader.parent_column = '*' THEN 1 ELSE 0 END
  FROM latest_runs AS run
  JOIN column_usage AS reader ON reader.run_id = run.run_id
  WHERE run.environment = 'base' -- edit: the environment
  UNION ALL
  SELECT
    run.project_name, edge.parent_id, '',
    0, 0, 1, CASE WHEN known.unique_id IS NULL THEN 1 ELSE 0 END
  FROM latest_runs AS run
  JOIN lineage AS edge ON edge.run_id = run.run_id
  LEFT JOIN known ON known.run_id = edge.run_id AND known.unique_id = edge.node_id
  WHERE run.environment = 'base' -- edit: the environment
), of_columns AS (
  SELECT
    project_name, node_id, column_name,
    MAX(is_made) AS is_made, MAX(is_read) AS is_read, MAX(has_reader) AS has_reader, MAX(is_unsure) AS is_unsure
  FROM seen
  WHERE STARTS_WITH(node_id, 'model.')
  GROUP BY project_name, node_id, column_name
), of_nodes AS (
  SELECT
    project_name, node_id, column_name, is_made, is_read,
    MAX(has_reader) OVER (PARTITION BY project_name, node_id) AS has_reader,
    MAX(is_unsure) OVER (PARTITION BY project_name, node_id) AS is_unsure
  FROM of_columns
)
SELECT project_name, node_id, column_name
FROM of_nodes
WHERE is_made = 1 AND is_read = 0 AND has_reader = 1 AND is_unsure = 0 AND column_name <> '*'
ORDER BY project_name, node_id, column_name;
