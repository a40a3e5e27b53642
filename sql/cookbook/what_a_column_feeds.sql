-- What does a column feed, down to the last node, and what would a change of it reach?
-- Asked by: an engineer, when a column or a source is about to change.
-- Answer: model.shop.orders | amount | model.shop.report | total | value | distance 1 | confidence 0.9
-- Topic: Columns and lineage
-- A change affects values of columns ('columns'), which rows a node has ('rows', if the column is used in a filter,
-- join or group), or a node with unknown columns ('unknown').
-- The view `latest_column_impact` answers it for all columns; this query shows the traversal itself, for one column only.
WITH RECURSIVE reads AS (
  SELECT
    run.run_id, edge.node_id, edge.column_name, edge.parent_id, edge.parent_column, edge.confidence
  FROM latest_runs AS run
  JOIN column_lineage AS edge ON edge.run_id = run.run_id AND edge.parent_id IS NOT NULL
  WHERE run.environment = 'base' -- edit: the environment
  UNION ALL
  SELECT
    run.run_id, edge.node_id, NULL AS column_name, edge.parent_id, edge.parent_column, edge.confidence
  FROM latest_runs AS run
  JOIN column_usage AS edge ON edge.run_id = run.run_id AND edge.usage <> 'referenced'
  WHERE run.environment = 'base' -- edit: the environment
), params AS (
  SELECT DISTINCT run_id, parent_id AS node_id, parent_column AS column_name
  FROM (
    SELECT reads.*, ROW_NUMBER() OVER (PARTITION BY run_id ORDER BY parent_id, parent_column) AS place
    FROM reads
  ) AS by_name
  WHERE place = 1 -- edit: parent_id = 'model.shop.orders' AND parent_column = 'amount'; default: the first by name
), known AS (
  SELECT params.run_id, place.unique_id
  FROM params
  JOIN runs ON runs.run_id = params.run_id
  JOIN store_column_parts AS part ON part.column_graph_id = runs.column_graph_id
  JOIN store_column_part_nodes AS place ON place.part_id = part.part_id
  JOIN store_column_analyses AS analysis ON analysis.lineage_id = place.lineage_id
  WHERE analysis.reason IS NULL
), steps AS MATERIALIZED (
  SELECT reads.run_id, reads.parent_id, reads.parent_column, reads.node_id, reads.column_name, reads.confidence, TRUE AS is_known
  FROM reads
  WHERE
    reads.parent_id <> reads.node_id
    OR reads.column_name IS NULL
    OR reads.parent_column <> reads.column_name
  UNION ALL
  SELECT
    edge.run_id, edge.parent_id, NULL AS parent_column, edge.node_id, NULL AS column_name, 1 AS confidence,
    known.unique_id IS NOT NULL AS is_known
  FROM params
  JOIN lineage AS edge ON edge.run_id = params.run_id
  LEFT JOIN known ON known.run_id = edge.run_id AND known.unique_id = edge.node_id
), reached AS (
  SELECT
    params.run_id,
    params.node_id AS start_id,
    params.column_name AS start_column,
    params.node_id AS unique_id,
    params.column_name,
    CAST('columns' AS TEXT) AS reach,
    0 AS distance,
    CAST(1 AS DOUBLE PRECISION) AS confidence
  FROM params
  UNION
  SELECT
    reached.run_id,
    reached.start_id,
    reached.start_column,
    steps.node_id,
    CAST(
      CASE
        WHEN steps.column_name = '*' AND steps.parent_column = '*' THEN reached.column_name
        ELSE steps.column_name
      END AS TEXT
    ),
    CAST(
      CASE
        WHEN steps.column_name IS NOT NULL THEN 'columns'
        WHEN steps.parent_column IS NOT NULL THEN 'rows'
        WHEN reached.column_name IS NOT NULL THEN 'unknown'
        ELSE reached.reach
      END AS TEXT
    ),
    reached.distance + 1,
    CASE
      WHEN steps.parent_column IS NULL AND reached.column_name IS NOT NULL AND reached.confidence > 0.5 THEN 0.5
      WHEN steps.confidence < reached.confidence THEN steps.confidence
      ELSE reached.confidence
    END
  FROM reached
  JOIN steps ON steps.run_id = reached.run_id AND steps.parent_id = reached.unique_id
  WHERE
    reached.distance < 50
    -- a unit test has rows of its own: only a change of its model affects it
    AND (steps.node_id NOT LIKE 'unit_test.%' OR reached.unique_id = reached.start_id)
    AND CASE
      WHEN reached.column_name IS NULL THEN steps.parent_column IS NULL
      WHEN steps.parent_column IS NULL THEN NOT steps.is_known
      ELSE steps.parent_column IN (reached.column_name, '*') OR reached.column_name = '*'
    END
), nearest AS (
  SELECT start_id, start_column, unique_id, column_name, reach, MIN(distance) AS distance, MAX(confidence) AS confidence
  FROM reached
  WHERE unique_id <> start_id OR COALESCE(column_name, '') <> start_column
  GROUP BY start_id, start_column, unique_id, column_name, reach
)
SELECT
  start_id AS node_id,
  start_column AS column_name,
  unique_id AS impacted_id,
  column_name AS impacted_column,
  reach,
  distance,
  confidence
FROM nearest
ORDER BY start_id, distance, unique_id, reach, column_name;
