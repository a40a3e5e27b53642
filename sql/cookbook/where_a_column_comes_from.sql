-- Where does a column come from, back to the sources, and how is it made on the way?
-- Asked by: an analyst who does not believe a figure.
-- Answer: model.shop.report | total | model.shop.orders | amount | aggregated | SUM(amount) | distance 1
-- Topic: Columns and lineage
-- One row per edge: `node_id` and `column_name` are computed from `parent_id` and `parent_column`.
WITH RECURSIVE edges AS MATERIALIZED (
  SELECT
    run.run_id, edge.node_id, edge.column_name, edge.parent_id, edge.parent_column, edge.kind, edge.expression,
    edge.confidence
  FROM latest_runs AS run
  JOIN column_lineage AS edge ON edge.run_id = run.run_id
  WHERE run.environment = 'base' -- edit: the environment
), params AS (
  SELECT DISTINCT run_id, node_id, column_name
  FROM (
    SELECT edges.*, ROW_NUMBER() OVER (PARTITION BY run_id ORDER BY node_id, column_name) AS place
    FROM edges
    WHERE parent_id IS NOT NULL
  ) AS by_name
  WHERE place = 1 -- edit: node_id = 'model.shop.report' AND column_name = 'total'; default: the first by name
), reached AS (
  SELECT params.run_id, params.node_id, params.column_name, 1 AS distance
  FROM params
  UNION
  SELECT reached.run_id, edges.parent_id, edges.parent_column, reached.distance + 1
  FROM reached
  JOIN edges
    ON edges.run_id = reached.run_id
    AND edges.node_id = reached.node_id
    AND edges.column_name = reached.column_name
  WHERE edges.parent_id IS NOT NULL AND edges.parent_id <> edges.node_id AND reached.distance < 50
), nearest AS (
  SELECT run_id, node_id, column_name, MIN(distance) AS distance
  FROM reached
  GROUP BY run_id, node_id, column_name
)
SELECT
  nearest.node_id,
  nearest.column_name,
  edges.parent_id,
  edges.parent_column,
  edges.kind,
  edges.expression,
  edges.confidence,
  nearest.distance
FROM nearest
JOIN edges
  ON edges.run_id = nearest.run_id
  AND edges.node_id = nearest.node_id
  AND edges.column_name = nearest.column_name
ORDER BY nearest.distance, nearest.node_id, nearest.column_name, edges.parent_id, edges.parent_column;
