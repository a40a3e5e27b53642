-- Which columns of models with downstream nodes are never read?
-- Asked by: an engineer who cleans up a project: an unused column may be removed.
-- Answer: shop | model.shop.stg_orders | discount_code
-- Excluded are models without downstream nodes, whose readers are outside the project, and models with a reader
-- whose columns are unknown, such as an exposure.
WITH runs_asked AS (
  SELECT
    run_id,
    project_name,
    graph_id,
    column_graph_id
  FROM recce_metadata.latest_runs
  WHERE
    environment = 'base' /* edit: the environment */
), known AS (
  SELECT
    runs_asked.run_id,
    place.unique_id
  FROM runs_asked
  JOIN recce_metadata.store_column_parts AS part
    ON part.column_graph_id = runs_asked.column_graph_id
  JOIN recce_metadata.store_column_part_nodes AS place
    ON place.part_id = part.part_id
  JOIN recce_metadata.store_column_analyses AS analysis
    ON analysis.lineage_id = place.lineage_id
  WHERE
    analysis.reason IS NULL
), seen AS (
  SELECT
    runs_asked.project_name,
    made.node_id,
    made.column_name,
    1 AS is_made,
    0 AS is_read,
    0 AS has_reader,
    0 AS is_unsure
  FROM runs_asked
  JOIN recce_metadata.column_lineage AS made
    ON made.run_id = runs_asked.run_id
  UNION ALL
  SELECT
    runs_asked.project_name,
    reader.parent_id,
    reader.parent_column,
    0,
    1,
    1,
    CASE WHEN reader.parent_column = '*' THEN 1 ELSE 0 END
  FROM runs_asked
  JOIN recce_metadata.column_lineage AS reader
    ON reader.run_id = runs_asked.run_id
  WHERE
    reader.parent_id IS NOT NULL
  UNION ALL
  SELECT
    runs_asked.project_name,
    reader.parent_id,
    reader.parent_column,
    0,
    1,
    1,
    CASE WHEN reader.parent_column = '*' THEN 1 ELSE 0 END
  FROM runs_asked
  JOIN recce_metadata.column_usage AS reader
    ON reader.run_id = runs_asked.run_id
  UNION ALL
  SELECT
    runs_asked.project_name,
    edge.parent_id,
    '',
    0,
    0,
    1,
    CASE WHEN known.unique_id IS NULL THEN 1 ELSE 0 END
  FROM runs_asked
  JOIN recce_metadata.store_graph_nodes AS place
    ON place.graph_id = runs_asked.graph_id
  JOIN recce_metadata.store_version_parents AS edge
    ON edge.version_id = place.version_id
  LEFT JOIN known
    ON known.run_id = runs_asked.run_id AND known.unique_id = place.unique_id
), of_columns AS (
  SELECT
    project_name,
    node_id,
    column_name,
    MAX(is_made) AS is_made,
    MAX(is_read) AS is_read,
    MAX(has_reader) AS has_reader,
    MAX(is_unsure) AS is_unsure
  FROM seen
  WHERE
    LEFT(node_id, LENGTH('model.')) = 'model.'
  GROUP BY
    project_name,
    node_id,
    column_name
), of_nodes AS (
  SELECT
    project_name,
    node_id,
    column_name,
    is_made,
    is_read,
    MAX(has_reader) OVER (PARTITION BY project_name, node_id) AS has_reader,
    MAX(is_unsure) OVER (PARTITION BY project_name, node_id) AS is_unsure
  FROM of_columns
)
SELECT
  project_name,
  node_id,
  column_name
FROM of_nodes
WHERE
  is_made = 1
  AND is_read = 0
  AND has_reader = 1
  AND is_unsure = 0
  AND column_name <> '*'
ORDER BY
  project_name,
  node_id,
  column_name;
