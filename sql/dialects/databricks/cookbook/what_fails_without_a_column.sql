-- hand-written: a walk over arrays, because a recursive query has a row per path and needs a recent runtime
-- What fails if a column is removed or renamed?
-- Asked by: an engineer about to drop a column.
-- Answer: model.shop.orders | amount | model.shop.report | distance 1 | confidence 1
-- Topic: Columns and lineage
-- A node fails if it names the column. A node with `*` loses the column: nodes that name it downstream then fail.
-- Of a semantic model, metric or saved query only the columns that need it fail, and what reads these.
-- Confidence is that of the last edge; a `*` over unknown columns is not followed.
WITH names AS (
  SELECT run.run_id, used.node_id, used.parent_id, used.parent_column, used.confidence
  FROM recce_metadata.latest_runs AS run
  JOIN recce_metadata.column_usage AS used ON used.run_id = run.run_id
  WHERE
    run.environment = 'base' -- edit: the environment
    AND used.usage = 'referenced'
    AND used.node_id <> used.parent_id
), reads AS (
  SELECT run_id, parent_id, parent_column
  FROM names
  UNION ALL
  SELECT run.run_id, edge.parent_id, edge.parent_column
  FROM recce_metadata.latest_runs AS run
  JOIN recce_metadata.column_lineage AS edge ON edge.run_id = run.run_id AND edge.parent_id IS NOT NULL
  WHERE run.environment = 'base' -- edit: the environment
), params AS (
  SELECT DISTINCT run_id, parent_id AS node_id, parent_column AS column_name
  FROM (
    SELECT reads.*, ROW_NUMBER() OVER (PARTITION BY run_id ORDER BY parent_id, parent_column) AS place
    FROM reads
  ) AS by_name
  WHERE place = 1 -- edit: parent_id = 'model.shop.orders' AND parent_column = 'amount'; default: the first by name
), stars AS (
  SELECT
    run_id,
    CONCAT_WS(CHR(10), parent_id, parent_column) AS place,
    COLLECT_SET(CONCAT_WS(CHR(10), node_id, column_name)) AS places
  FROM (
    SELECT edge.run_id, edge.node_id, edge.column_name, edge.parent_id, edge.parent_column
    FROM recce_metadata.column_lineage AS edge
    LEFT JOIN names
      ON names.run_id = edge.run_id
      AND names.node_id = edge.node_id
      AND names.parent_id = edge.parent_id
      AND names.parent_column = edge.parent_column
    WHERE
      edge.parent_id IS NOT NULL
      AND edge.node_id <> edge.parent_id
      AND (
        (edge.kind = 'passthrough' AND names.node_id IS NULL)
        OR edge.node_id LIKE 'metric.%' OR edge.node_id LIKE 'saved_query.%'
        OR edge.node_id LIKE 'semantic_model.%'
      )
    UNION ALL
    SELECT made.run_id, made.node_id, made.column_name, used.parent_id, used.parent_column
    FROM recce_metadata.column_usage AS used
    JOIN recce_metadata.column_lineage AS made ON made.run_id = used.run_id AND made.node_id = used.node_id
    WHERE
      used.usage IN ('filter', 'join') AND (used.node_id LIKE 'metric.%' OR used.node_id LIKE 'saved_query.%')
  ) AS edges
  GROUP BY run_id, parent_id, parent_column
), graphs AS (
  SELECT run_id, MAP_FROM_ENTRIES(COLLECT_LIST(STRUCT(place, places))) AS children
  FROM stars
  GROUP BY run_id
), starts AS (
  SELECT run_id, node_id, column_name, CONCAT_WS(CHR(10), node_id, column_name) AS place
  FROM params
), walks AS (
  SELECT
    starts.run_id,
    starts.node_id,
    starts.column_name,
    AGGREGATE(
      SEQUENCE(1, 50),
      CAST(STRUCT(ARRAY(starts.place), ARRAY(starts.place), ARRAY(ARRAY(starts.place))) AS STRUCT<
        latest: ARRAY<STRING>, seen: ARRAY<STRING>, steps: ARRAY<ARRAY<STRING>>
      >),
      (walk, number) -> CASE
        WHEN SIZE(walk.latest) = 0 THEN walk
        ELSE TRANSFORM(
          ARRAY(ARRAY_EXCEPT(
            FLATTEN(TRANSFORM(
              walk.latest, place -> COALESCE(graphs.children[place], CAST(ARRAY() AS ARRAY<STRING>))
            )),
            walk.seen
          )),
          next -> CAST(STRUCT(next, CONCAT(walk.seen, next), CONCAT(walk.steps, ARRAY(next))) AS STRUCT<
            latest: ARRAY<STRING>, seen: ARRAY<STRING>, steps: ARRAY<ARRAY<STRING>>
          >)
        )[0]
      END,
      walk -> walk.steps
    ) AS steps
  FROM starts
  LEFT JOIN graphs ON graphs.run_id = starts.run_id
), lost AS (
  SELECT walks.run_id, walks.node_id, walks.column_name, reached.place, step.number + 1 AS distance
  FROM walks
  LATERAL VIEW POSEXPLODE(walks.steps) step AS number, places
  LATERAL VIEW EXPLODE(step.places) reached AS place
)
SELECT
  lost.node_id,
  lost.column_name,
  names.node_id AS failing_id,
  MIN(lost.distance) AS distance,
  MAX(names.confidence) AS confidence
FROM lost
JOIN names ON names.run_id = lost.run_id AND CONCAT_WS(CHR(10), names.parent_id, names.parent_column) = lost.place
GROUP BY lost.node_id, lost.column_name, names.node_id
ORDER BY lost.node_id, distance, failing_id;
