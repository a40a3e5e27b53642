-- Which columns of models that others read does nobody read?
-- Asked by: whoever tidies a project: a column that feeds nothing may be left out.
-- Answer: shop | model.shop.stg_orders | discount_code
-- Left out are models that nothing in the project reads, whose readers are outside of it, and models with a reader
-- whose own columns are not known, such as an exposure.
WITH runs_asked AS (
  SELECT
    run_id,
    project_name
  FROM recce_metadata.latest_runs
  WHERE
    environment = 'base' /* edit: the environment */
), reads AS (
  SELECT
    edge.run_id,
    edge.parent_id,
    edge.parent_column
  FROM runs_asked
  JOIN recce_metadata.column_lineage AS edge
    ON edge.run_id = runs_asked.run_id
  WHERE
    edge.parent_id IS NOT NULL
  UNION
  SELECT
    edge.run_id,
    edge.parent_id,
    edge.parent_column
  FROM runs_asked
  JOIN recce_metadata.column_usage AS edge
    ON edge.run_id = runs_asked.run_id
), readers AS (
  SELECT
    edge.run_id,
    edge.parent_id,
    SUM(CASE WHEN analysis.node_id IS NULL THEN 1 ELSE 0 END) AS unknown_readers
  FROM runs_asked
  JOIN recce_metadata.lineage AS edge
    ON edge.run_id = runs_asked.run_id
  LEFT JOIN recce_metadata.column_analysis AS analysis
    ON analysis.run_id = edge.run_id
    AND analysis.node_id = edge.node_id
    AND analysis.reason IS NULL
  GROUP BY
    edge.run_id,
    edge.parent_id
)
SELECT DISTINCT
  runs_asked.project_name,
  made.node_id,
  made.column_name
FROM runs_asked
JOIN recce_metadata.column_lineage AS made
  ON made.run_id = runs_asked.run_id
JOIN readers
  ON readers.run_id = made.run_id
  AND readers.parent_id = made.node_id
  AND readers.unknown_readers = 0
LEFT JOIN reads
  ON reads.run_id = made.run_id
  AND reads.parent_id = made.node_id
  AND (
    reads.parent_column = made.column_name OR reads.parent_column = '*'
  )
WHERE
  STARTS_WITH(made.node_id, 'model.') AND reads.parent_id IS NULL
ORDER BY
  runs_asked.project_name,
  made.node_id,
  made.column_name;
