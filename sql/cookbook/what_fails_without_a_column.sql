-- What fails if a column is removed or renamed?
-- Asked by: an engineer about to drop a column.
-- Answer: model.shop.orders | amount | model.shop.report | distance 1 | confidence 1
-- Topic: Columns and lineage
-- A node fails if it names the column. A node with `*` loses the column: nodes that name it downstream then fail.
-- Of a semantic model, metric or saved query only the columns that need it fail, and what reads these.
WITH RECURSIVE made AS MATERIALIZED (
  SELECT edge.run_id, edge.node_id, edge.column_name, edge.parent_id, edge.parent_column, edge.kind, edge.confidence
  FROM latest_runs AS run
  JOIN column_lineage AS edge ON edge.run_id = run.run_id
  WHERE run.environment = 'base' -- edit: the environment
), used AS MATERIALIZED (
  SELECT edge.run_id, edge.node_id, edge.parent_id, edge.parent_column, edge.usage, edge.confidence
  FROM latest_runs AS run
  JOIN column_usage AS edge ON edge.run_id = run.run_id
  WHERE run.environment = 'base' -- edit: the environment
), names AS MATERIALIZED (
  SELECT run_id, node_id, parent_id, parent_column, confidence
  FROM used
  WHERE usage = 'referenced' AND node_id <> parent_id
), reads AS (
  SELECT run_id, parent_id, parent_column
  FROM names
  UNION ALL
  SELECT run_id, parent_id, parent_column
  FROM made
  WHERE parent_id IS NOT NULL
), params AS (
  SELECT DISTINCT run_id, parent_id AS node_id, parent_column AS column_name
  FROM (
    SELECT reads.*, ROW_NUMBER() OVER (PARTITION BY run_id ORDER BY parent_id, parent_column) AS place
    FROM reads
  ) AS by_name
  WHERE place = 1 -- edit: parent_id = 'model.shop.orders' AND parent_column = 'amount'; default: the first by name
), stars AS MATERIALIZED (
  SELECT edge.run_id, edge.node_id, edge.column_name, edge.parent_id, edge.parent_column, edge.confidence
  FROM params
  JOIN made AS edge ON edge.run_id = params.run_id
  LEFT JOIN names
    ON names.run_id = edge.run_id
    AND names.node_id = edge.node_id
    AND names.parent_id = edge.parent_id
    AND names.parent_column = edge.parent_column
  WHERE
    (edge.kind = 'passthrough' OR (edge.column_name = '*' AND edge.parent_column = '*'))
    AND names.node_id IS NULL
    AND edge.node_id <> edge.parent_id
  UNION ALL
  SELECT edge.run_id, edge.node_id, edge.column_name, edge.parent_id, edge.parent_column, edge.confidence
  FROM params
  JOIN made AS edge ON edge.run_id = params.run_id
  WHERE
    edge.parent_id IS NOT NULL
    AND (
      edge.node_id LIKE 'metric.%' OR edge.node_id LIKE 'saved_query.%'
      OR edge.node_id LIKE 'semantic_model.%'
    )
  UNION ALL
  SELECT made.run_id, made.node_id, made.column_name, used.parent_id, used.parent_column, used.confidence
  FROM params
  JOIN used ON used.run_id = params.run_id
  JOIN made ON made.run_id = used.run_id AND made.node_id = used.node_id
  WHERE
    used.usage IN ('filter', 'join') AND (used.node_id LIKE 'metric.%' OR used.node_id LIKE 'saved_query.%')
), lost AS (
  SELECT
    params.run_id, params.node_id AS start_id, params.column_name AS start_column, params.node_id, params.column_name,
    0 AS distance, CAST(1 AS DOUBLE PRECISION) AS confidence
  FROM params
  UNION
  SELECT
    lost.run_id,
    lost.start_id,
    lost.start_column,
    stars.node_id,
    CASE WHEN stars.column_name = '*' AND stars.parent_column = '*' THEN lost.column_name ELSE stars.column_name END,
    lost.distance + 1,
    CASE WHEN stars.confidence < lost.confidence THEN stars.confidence ELSE lost.confidence END
  FROM lost
  JOIN stars
    ON stars.run_id = lost.run_id
    AND stars.parent_id = lost.node_id
    AND stars.parent_column IN (lost.column_name, '*')
  WHERE lost.distance < 50
), failing AS (
  SELECT
    lost.start_id,
    lost.start_column,
    names.node_id AS failing_id,
    lost.distance + 1 AS distance,
    CASE WHEN names.confidence < lost.confidence THEN names.confidence ELSE lost.confidence END AS confidence
  FROM lost
  JOIN names
    ON names.run_id = lost.run_id
    AND names.parent_id = lost.node_id
    AND names.parent_column IN (lost.column_name, '*')
), nearest AS (
  SELECT start_id, start_column, failing_id, MIN(distance) AS distance, MAX(confidence) AS confidence
  FROM failing
  GROUP BY start_id, start_column, failing_id
)
SELECT start_id AS node_id, start_column AS column_name, failing_id, distance, confidence
FROM nearest
ORDER BY start_id, distance, failing_id;
