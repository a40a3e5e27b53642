-- hand-written: a walk over arrays, because a recursive query has a row per path and needs a recent runtime
-- Where does a column come from, back to the sources, and how is it made on the way?
-- Asked by: an analyst who does not believe a figure.
-- Answer: model.shop.report | total | model.shop.orders | amount | aggregated | SUM(amount) | distance 1
-- Topic: Columns and lineage
-- One row per edge: `node_id` and `column_name` are computed from `parent_id` and `parent_column`.
WITH edges AS (
  SELECT
    run.run_id, edge.node_id, edge.column_name, edge.parent_id, edge.parent_column, edge.kind, edge.expression,
    edge.confidence
  FROM recce_metadata.latest_runs AS run
  JOIN recce_metadata.column_lineage AS edge ON edge.run_id = run.run_id
  WHERE run.environment = 'base' -- edit: the environment
), params AS (
  SELECT DISTINCT run_id, node_id, column_name
  FROM (
    SELECT edges.*, ROW_NUMBER() OVER (PARTITION BY run_id ORDER BY node_id, column_name) AS place
    FROM edges
    WHERE parent_id IS NOT NULL
  ) AS by_name
  WHERE place = 1 -- edit: node_id = 'model.shop.report' AND column_name = 'total'; default: the first by name
), parents AS (
  SELECT
    run_id,
    CONCAT_WS(CHR(10), node_id, column_name) AS place,
    COLLECT_SET(CONCAT_WS(CHR(10), parent_id, parent_column)) AS places
  FROM edges
  WHERE parent_id IS NOT NULL AND parent_id <> node_id
  GROUP BY run_id, node_id, column_name
), graphs AS (
  SELECT run_id, MAP_FROM_ENTRIES(COLLECT_LIST(STRUCT(place, places))) AS parents
  FROM parents
  GROUP BY run_id
), starts AS (
  SELECT run_id, CONCAT_WS(CHR(10), node_id, column_name) AS place
  FROM params
), walks AS (
  SELECT
    starts.run_id,
    AGGREGATE(
      SEQUENCE(1, 100),
      CAST(STRUCT(ARRAY(starts.place), ARRAY(starts.place), ARRAY(ARRAY(starts.place))) AS STRUCT<
        latest: ARRAY<STRING>, seen: ARRAY<STRING>, steps: ARRAY<ARRAY<STRING>>
      >),
      (walk, number) -> CASE
        WHEN SIZE(walk.latest) = 0 THEN walk
        ELSE TRANSFORM(
          ARRAY(ARRAY_EXCEPT(
            FLATTEN(TRANSFORM(
              walk.latest, place -> COALESCE(graphs.parents[place], CAST(ARRAY() AS ARRAY<STRING>))
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
  JOIN graphs ON graphs.run_id = starts.run_id
), nearest AS (
  SELECT walks.run_id, reached.place, step.number + 1 AS distance
  FROM walks
  LATERAL VIEW POSEXPLODE(walks.steps) step AS number, places
  LATERAL VIEW EXPLODE(step.places) reached AS place
)
SELECT
  edges.node_id,
  edges.column_name,
  edges.parent_id,
  edges.parent_column,
  edges.kind,
  edges.expression,
  edges.confidence,
  nearest.distance
FROM nearest
JOIN edges
  ON edges.run_id = nearest.run_id
  AND CONCAT_WS(CHR(10), edges.node_id, edges.column_name) = nearest.place
ORDER BY nearest.distance, edges.node_id, edges.column_name, edges.parent_id, edges.parent_column;
