-- One row per run, column and downstream effect of a change. If `column_name` is NULL, the node's rows change.
-- Filter by run_id, and if possible by node_id and column_name.
-- `reach` is 'columns' if the change affects values of `impacted_column`, 'rows' if it affects which rows the node has,
-- 'unknown' if the node's columns are unknown. 'rows' means that the column is used in a filter, join or group: all
-- columns of the node and of its downstream nodes may change.
-- `distance` is the length of the shortest path. `confidence` is that of the most certain path: the minimum of its
-- edges. Paths have at most 100 edges.
-- For a relation with unknown columns: the columns its readers name, and '*' for all remaining columns.
-- Key: run_id, node_id, column_name, impacted_id, impacted_column, reach.
--
-- The edges of a run are collected once, as JSON: the targets of a change by node, then by the first part of the name
-- of the column that is read ('rows' for rows). A walk looks up its edges there and needs no index. Each walk names its
-- run, so the planner does not cache walks by their JSON.
CREATE OR REPLACE VIEW column_impact AS
SELECT
  run.run_id,
  run.environment,
  start.node_id,
  start.column_name,
  impact.impacted_id,
  impact.impacted_column,
  impact.reach,
  impact.distance,
  impact.confidence
FROM store_runs AS run
CROSS JOIN LATERAL (
  WITH known AS (
    SELECT place.unique_id
    FROM store_column_parts AS part
    JOIN store_column_part_nodes AS place ON place.part_id = part.part_id
    JOIN store_column_analyses AS analysis ON analysis.lineage_id = place.lineage_id
    WHERE
      part.column_graph_id = run.column_graph_id
      AND analysis.reason IS NULL
      -- Always true, as below: the planner then expects few rows, and does not compile the query.
      AND part.part_id || '' = part.part_id
  ), reads AS MATERIALIZED (
    SELECT
      place.unique_id AS node_id, edge.column_name, edge.parent_id, edge.parent_column, edge.kind, edge.confidence
    FROM store_column_parts AS part
    JOIN store_column_part_nodes AS place ON place.part_id = part.part_id
    JOIN store_column_edges AS edge ON edge.lineage_id = place.lineage_id
    WHERE part.column_graph_id = run.column_graph_id AND part.part_id || '' = part.part_id
  ), node_reads AS MATERIALIZED (
    SELECT
      place.unique_id AS node_id, edge.parent_id, known.unique_id IS NOT NULL AS is_known
    FROM store_graph_nodes AS place
    JOIN store_version_parents AS edge ON edge.version_id = place.version_id
    LEFT JOIN known ON known.unique_id = place.unique_id
    WHERE
      place.graph_id = run.graph_id AND run.column_graph_id IS NOT NULL AND place.unique_id || '' = place.unique_id
  ), steps AS (
    -- from a column to columns computed from it, and to rows that it affects
    SELECT
      parent_id,
      COALESCE(SPLIT_PART(parent_column, '.', 1), 'rows') AS bucket,
      JSONB_BUILD_ARRAY(node_id, column_name, parent_column, confidence, TRUE) AS step
    FROM reads
    WHERE
      parent_id IS NOT NULL
      AND (parent_id <> node_id OR parent_column IS DISTINCT FROM column_name)
      AND kind <> 'referenced'
    UNION ALL
    -- from rows to the rows of every reader, and from a column to readers with unknown columns
    SELECT parent_id, 'rows' AS bucket, JSONB_BUILD_ARRAY(node_id, NULL, NULL, 1, is_known) AS step
    FROM node_reads
  )
  SELECT
    (
      SELECT JSONB_OBJECT_AGG(parent_id, buckets)
      FROM (
        SELECT parent_id, JSONB_OBJECT_AGG(bucket, steps) AS buckets
        FROM (
          SELECT parent_id, bucket, JSONB_AGG(step) AS steps
          FROM steps
          GROUP BY parent_id, bucket
        ) AS by_bucket
        GROUP BY parent_id
      ) AS by_parent
    ) AS steps,
    (
      SELECT JSONB_AGG(JSONB_BUILD_ARRAY(node_id, column_name))
      FROM (
        SELECT node_id, column_name FROM reads WHERE column_name IS NOT NULL
        UNION
        SELECT parent_id AS node_id, parent_column AS column_name FROM reads WHERE parent_id IS NOT NULL
        UNION
        SELECT parent_id AS node_id, CAST(NULL AS TEXT) AS column_name FROM node_reads
      ) AS places
    ) AS starts,
    (
      -- ephemeral models to which no edge leads: their readers were analysed with the SQL of the model as theirs
      SELECT JSONB_OBJECT_AGG(place.unique_id, TRUE)
      FROM store_graph_nodes AS place
      JOIN store_node_versions AS version ON version.version_id = place.version_id
      WHERE
        place.graph_id = run.graph_id
        AND version.materialized = 'ephemeral'
        AND NOT EXISTS (SELECT 1 FROM reads WHERE reads.parent_id = place.unique_id)
    ) AS inlined
) AS graph
CROSS JOIN LATERAL (
  SELECT item ->> 0 AS node_id, item ->> 1 AS column_name
  FROM JSONB_ARRAY_ELEMENTS(graph.starts) AS item
) AS start
CROSS JOIN LATERAL (
  WITH RECURSIVE reached AS (
    SELECT
      start.node_id AS unique_id,
      start.column_name,
      CASE WHEN start.column_name IS NULL THEN 'rows' ELSE 'columns' END AS reach,
      0 AS distance,
      CAST(1 AS DOUBLE PRECISION) AS confidence
    UNION
    SELECT
      step.node_id,
      CASE
        WHEN step.column_name = '*' AND step.parent_column = '*' THEN reached.column_name
        ELSE step.column_name
      END,
      CASE
        WHEN step.column_name IS NOT NULL THEN 'columns'
        WHEN step.parent_column IS NOT NULL THEN 'rows'
        WHEN reached.column_name IS NOT NULL THEN 'unknown'
        ELSE reached.reach
      END,
      reached.distance + 1,
      CASE
        WHEN step.parent_column IS NULL AND reached.column_name IS NOT NULL AND reached.confidence > 0.5 THEN 0.5
        WHEN step.confidence < reached.confidence THEN step.confidence
        ELSE reached.confidence
      END
    FROM reached
    CROSS JOIN LATERAL (
      SELECT
        item ->> 0 AS node_id,
        item ->> 1 AS column_name,
        item ->> 2 AS parent_column,
        CAST(item -> 3 AS DOUBLE PRECISION) AS confidence,
        CAST(item -> 4 AS BOOLEAN) AS is_known
      FROM JSONB_ARRAY_ELEMENTS(
        CASE
          WHEN reached.column_name IS NULL THEN COALESCE(graph.steps -> reached.unique_id -> 'rows', '[]')
          WHEN reached.column_name = '*'
          THEN COALESCE(JSONB_PATH_QUERY_ARRAY(graph.steps -> reached.unique_id, '$.*[*]'), '[]')
          ELSE
            COALESCE(graph.steps -> reached.unique_id -> 'rows', '[]')
            || COALESCE(graph.steps -> reached.unique_id -> '*', '[]')
            || COALESCE(graph.steps -> reached.unique_id -> SPLIT_PART(reached.column_name, '.', 1), '[]')
        END
      ) AS item
    ) AS step
    WHERE
      reached.distance < 100
      -- a unit test has rows of its own: only a change of its model affects it
      AND (step.node_id NOT LIKE 'unit_test.%' OR reached.unique_id = start.node_id)
      AND CASE
        WHEN reached.column_name IS NULL THEN step.parent_column IS NULL
        WHEN step.parent_column IS NULL
        THEN NOT step.is_known OR (graph.inlined -> reached.unique_id IS NOT NULL AND reached.distance = 0)
        ELSE
          step.parent_column IN (reached.column_name, '*')
          OR reached.column_name = '*'
          -- the catalog may list a field besides its struct; reading the struct reads the field
          OR LEFT(reached.column_name, LENGTH(step.parent_column) + 1) = step.parent_column || '.'
      END
  )
  SELECT
    unique_id AS impacted_id,
    column_name AS impacted_column,
    reach,
    MIN(distance) AS distance,
    MAX(confidence) AS confidence
  FROM reached
  WHERE
    (unique_id <> start.node_id OR COALESCE(column_name, '') <> COALESCE(start.column_name, ''))
    AND run.run_id <> ''
  GROUP BY unique_id, column_name, reach
) AS impact;
