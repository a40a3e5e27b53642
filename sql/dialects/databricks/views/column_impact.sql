-- hand-written: a walk over arrays, because a recursive query has a row per path and needs a recent runtime
-- One row per run, column and downstream effect of a change. If `column_name` is NULL, the node's rows change.
-- Filter by all three: run_id, node_id, column_name.
-- `reach` is 'columns' if the change affects values of `impacted_column`, 'rows' if it affects which rows the node has,
-- 'unknown' if the node's columns are unknown. 'rows' means that the column is used in a filter, join or group: all
-- columns of the node and of its downstream nodes may change.
-- `distance` is the length of the shortest path. `confidence` is that of the most certain path: the minimum of its
-- edges. Paths have at most 100 edges.
-- For a relation with unknown columns: the columns its readers name, and '*' for all remaining columns.
-- Key: run_id, node_id, column_name, impacted_id, impacted_column, reach.
CREATE OR REPLACE VIEW recce_metadata.column_impact AS
WITH known AS (
  SELECT runs.run_id, place.unique_id
  FROM recce_metadata.store_runs AS runs
  JOIN recce_metadata.store_column_parts AS part ON part.column_graph_id = runs.column_graph_id
  JOIN recce_metadata.store_column_part_nodes AS place ON place.part_id = part.part_id
  JOIN recce_metadata.store_column_analyses AS analysis ON analysis.lineage_id = place.lineage_id
  WHERE analysis.reason IS NULL
), reads AS (
  SELECT
    runs.run_id, runs.environment, place.unique_id AS node_id, edge.column_name, edge.parent_id, edge.parent_column,
    CAST(edge.confidence AS STRING) AS confidence
  FROM recce_metadata.store_runs AS runs
  JOIN recce_metadata.store_column_parts AS part ON part.column_graph_id = runs.column_graph_id
  JOIN recce_metadata.store_column_part_nodes AS place ON place.part_id = part.part_id
  JOIN recce_metadata.store_column_edges AS edge ON edge.lineage_id = place.lineage_id
  WHERE edge.kind <> 'referenced'
), node_reads AS (
  SELECT
    runs.run_id, runs.environment, place.unique_id AS node_id, edge.parent_id,
    known.unique_id IS NOT NULL AS is_known,
    COALESCE(version.materialized = 'ephemeral' AND traced.parent_id IS NULL, FALSE) AS is_inlined
  FROM recce_metadata.store_runs AS runs
  JOIN recce_metadata.store_graph_nodes AS place ON place.graph_id = runs.graph_id
  JOIN recce_metadata.store_version_parents AS edge ON edge.version_id = place.version_id
  LEFT JOIN known ON known.run_id = runs.run_id AND known.unique_id = place.unique_id
  LEFT JOIN recce_metadata.store_graph_nodes AS parent
    ON parent.graph_id = runs.graph_id AND parent.unique_id = edge.parent_id
  LEFT JOIN recce_metadata.store_node_versions AS version ON version.version_id = parent.version_id
  -- an ephemeral model to which no edge leads: its readers were analysed with its SQL as theirs
  LEFT JOIN (SELECT DISTINCT run_id, parent_id FROM reads) AS traced
    ON traced.run_id = runs.run_id AND traced.parent_id = edge.parent_id
  WHERE runs.column_graph_id IS NOT NULL
), column_steps AS (
  -- from a column to columns computed from it, and to rows that it affects: as lines of reach,
  -- confidence, node and column
  SELECT
    run_id, parent_id, parent_column,
    CONCAT_WS(
      CHR(10),
      CASE
        WHEN column_name IS NULL THEN 'rows'
        WHEN column_name = '*' AND parent_column = '*' THEN 'passed'
        ELSE 'columns'
      END,
      confidence, node_id, COALESCE(column_name, '')
    ) AS target
  FROM reads
  WHERE
    parent_id IS NOT NULL
    AND (parent_id <> node_id OR column_name IS NULL OR parent_column <> column_name)
), steps AS (
  SELECT
    run_id,
    CONCAT(parent_id, CHR(10), CASE WHEN parent_column = '*' THEN 'any' ELSE CONCAT('=', parent_column) END) AS origin,
    target
  FROM column_steps
  UNION ALL
  SELECT run_id, CONCAT(parent_id, CHR(10), 'all') AS origin, target FROM column_steps
  UNION ALL
  -- from rows to the rows of every reader
  SELECT
    run_id, CONCAT(parent_id, CHR(10), 'rows') AS origin, CONCAT_WS(CHR(10), 'same', '1.0', node_id, '') AS target
  FROM node_reads
  UNION ALL
  -- from a column to readers with unknown columns
  SELECT
    run_id,
    CONCAT(parent_id, CHR(10), CASE WHEN is_known THEN 'inlined' ELSE 'unknown' END) AS origin,
    CONCAT_WS(CHR(10), 'unknown', '0.5', node_id, '') AS target
  FROM node_reads
  WHERE is_inlined OR NOT is_known
), targets AS (
  SELECT run_id, origin, COLLECT_SET(target) AS targets
  FROM steps
  GROUP BY run_id, origin
), graphs AS (
  SELECT run_id, MAP_FROM_ENTRIES(COLLECT_LIST(STRUCT(origin, targets))) AS targets
  FROM targets
  GROUP BY run_id
), starts AS (
  SELECT
    run_id, environment, node_id, column_name,
    CONCAT_WS(
      CHR(10), CASE WHEN column_name IS NULL THEN 'rows' ELSE 'columns' END, '1.0', node_id, COALESCE(column_name, '')
    ) AS place
  FROM (
    SELECT run_id, environment, node_id, column_name FROM reads WHERE column_name IS NOT NULL
    UNION
    SELECT run_id, environment, parent_id, parent_column FROM reads WHERE parent_id IS NOT NULL
    UNION
    SELECT run_id, environment, parent_id, CAST(NULL AS STRING) FROM node_reads
  )
), walks AS (
  SELECT
    starts.*,
    AGGREGATE(
      SEQUENCE(1, 100),
      CAST(STRUCT(ARRAY(starts.place), ARRAY(starts.place), ARRAY()) AS STRUCT<
        latest: ARRAY<STRING>, seen: ARRAY<STRING>, steps: ARRAY<ARRAY<STRING>>
      >),
      (walk, number) -> CASE
        WHEN SIZE(walk.latest) = 0 THEN walk
        ELSE TRANSFORM(
          ARRAY(ARRAY_EXCEPT(
            FLATTEN(TRANSFORM(
              TRANSFORM(walk.latest, place -> SPLIT(place, CHR(10), 4)),
              here -> TRANSFORM(
                TRANSFORM(
                  CASE
                    WHEN here[3] = '' THEN COALESCE(graphs.targets[CONCAT(here[2], CHR(10), 'rows')], CAST(ARRAY() AS ARRAY<STRING>))
                    ELSE CONCAT(
                      CASE
                        WHEN here[3] = '*' THEN COALESCE(graphs.targets[CONCAT(here[2], CHR(10), 'all')], CAST(ARRAY() AS ARRAY<STRING>))
                        ELSE CONCAT(
                          COALESCE(graphs.targets[CONCAT(here[2], CHR(10), '=', here[3])], CAST(ARRAY() AS ARRAY<STRING>)),
                          COALESCE(graphs.targets[CONCAT(here[2], CHR(10), 'any')], CAST(ARRAY() AS ARRAY<STRING>))
                        )
                      END,
                      COALESCE(graphs.targets[CONCAT(here[2], CHR(10), 'unknown')], CAST(ARRAY() AS ARRAY<STRING>)),
                      CASE
                        WHEN number = 1 THEN COALESCE(graphs.targets[CONCAT(here[2], CHR(10), 'inlined')], CAST(ARRAY() AS ARRAY<STRING>))
                        ELSE CAST(ARRAY() AS ARRAY<STRING>)
                      END
                    )
                  END,
                  target -> SPLIT(target, CHR(10), 4)
                ),
                there -> CONCAT_WS(
                  CHR(10),
                  CASE there[0] WHEN 'same' THEN here[0] WHEN 'passed' THEN 'columns' ELSE there[0] END,
                  CASE WHEN CAST(there[1] AS DOUBLE) < CAST(here[1] AS DOUBLE) THEN there[1] ELSE here[1] END,
                  there[2],
                  CASE WHEN there[0] = 'passed' THEN here[3] ELSE there[3] END
                )
              )
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
), reached AS (
  SELECT
    walks.run_id, walks.environment, walks.node_id, walks.column_name, step.number + 1 AS distance,
    SPLIT(reached.place, CHR(10), 4) AS place
  FROM walks
  LATERAL VIEW POSEXPLODE(walks.steps) step AS number, places
  LATERAL VIEW EXPLODE(step.places) reached AS place
)
SELECT
  run_id,
  environment,
  node_id,
  column_name,
  place[2] AS impacted_id,
  NULLIF(place[3], '') AS impacted_column,
  place[0] AS reach,
  MIN(distance) AS distance,
  MAX(CAST(place[1] AS DOUBLE)) AS confidence
FROM reached
WHERE
  (place[2] <> node_id OR place[3] <> COALESCE(column_name, ''))
  -- a unit test has rows of its own: only a change of its model affects it
  AND (place[2] NOT LIKE 'unit_test.%' OR SPLIT(place[2], '[.]')[2] = SPLIT(node_id, '[.]')[2])
GROUP BY run_id, environment, node_id, column_name, place[2], place[3], place[0];
