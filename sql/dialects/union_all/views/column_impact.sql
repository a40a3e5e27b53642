-- hand-written: no recursion within LATERAL, and only UNION ALL in recursion
-- One row per run, column and downstream effect of a change. If `column_name` is NULL, the node's rows change.
-- Paths are counted one by one, for every run: the cookbook query `what_a_column_feeds` does it for only one column.
-- `reach` is 'columns' if the change affects values of `impacted_column`, 'rows' if it affects which rows the node has,
-- 'unknown' if the node's columns are unknown. 'rows' means that the column is used in a filter, join or group: all
-- columns of the node and of its downstream nodes may change.
-- `distance` is the length of the shortest path. `confidence` is that of the most certain path: the minimum of its
-- edges. Paths have at most 30 edges.
-- For a relation with unknown columns: the columns its readers name, and '*' for all remaining columns.
-- Key: run_id, node_id, column_name, impacted_id, impacted_column, reach.
CREATE OR REPLACE VIEW column_impact AS
WITH RECURSIVE known AS (
  SELECT runs.run_id, place.unique_id
  FROM store_runs AS runs
  JOIN store_column_parts AS part ON part.column_graph_id = runs.column_graph_id
  JOIN store_column_part_nodes AS place ON place.part_id = part.part_id
  JOIN store_column_analyses AS analysis ON analysis.lineage_id = place.lineage_id
  WHERE analysis.reason IS NULL
), reads AS (
  SELECT
    runs.run_id, runs.environment, place.unique_id AS node_id, edge.column_name, edge.parent_id, edge.parent_column,
    edge.confidence
  FROM store_runs AS runs
  JOIN store_column_parts AS part ON part.column_graph_id = runs.column_graph_id
  JOIN store_column_part_nodes AS place ON place.part_id = part.part_id
  JOIN store_column_edges AS edge ON edge.lineage_id = place.lineage_id
  WHERE edge.kind <> 'referenced'
), node_reads AS (
  SELECT
    runs.run_id, runs.environment, place.unique_id AS node_id, edge.parent_id,
    known.unique_id IS NOT NULL AS is_known,
    COALESCE(version.materialized = 'ephemeral' AND traced.parent_id IS NULL, FALSE) AS is_inlined
  FROM store_runs AS runs
  JOIN store_graph_nodes AS place ON place.graph_id = runs.graph_id
  JOIN store_version_parents AS edge ON edge.version_id = place.version_id
  LEFT JOIN known ON known.run_id = runs.run_id AND known.unique_id = place.unique_id
  LEFT JOIN store_graph_nodes AS parent
    ON parent.graph_id = runs.graph_id AND parent.unique_id = edge.parent_id
  LEFT JOIN store_node_versions AS version ON version.version_id = parent.version_id
  -- an ephemeral model to which no edge leads: its readers were analysed with its SQL as theirs
  LEFT JOIN (SELECT DISTINCT run_id, parent_id FROM reads) AS traced
    ON traced.run_id = runs.run_id AND traced.parent_id = edge.parent_id
  WHERE runs.column_graph_id IS NOT NULL
), steps AS (
  -- from a column to columns computed from it, and to rows that it affects
  SELECT
    run_id, parent_id, parent_column, node_id, column_name, confidence, TRUE AS is_known, FALSE AS is_inlined
  FROM reads
  WHERE
    parent_id IS NOT NULL
    AND (parent_id <> node_id OR column_name IS NULL OR parent_column <> column_name)
  UNION ALL
  -- from rows to the rows of every reader, and from a column to readers with unknown columns
  SELECT
    run_id, parent_id, NULL AS parent_column, node_id, NULL AS column_name, 1 AS confidence, is_known, is_inlined
  FROM node_reads
), starts AS (
  SELECT DISTINCT run_id, environment, node_id, column_name
  FROM (
    SELECT run_id, environment, node_id, column_name FROM reads WHERE column_name IS NOT NULL
    UNION ALL
    SELECT run_id, environment, parent_id, parent_column FROM reads WHERE parent_id IS NOT NULL
    UNION ALL
    SELECT run_id, environment, parent_id, CAST(NULL AS TEXT) FROM node_reads
  ) AS places
), reached (
  run_id, environment, start_id, start_column, unique_id, column_name, reach, distance, confidence
) AS (
  SELECT
    run_id, environment, node_id AS start_id, column_name AS start_column, node_id AS unique_id, column_name,
    CAST(CASE WHEN column_name IS NULL THEN 'rows' ELSE 'columns' END AS TEXT) AS reach,
    CAST(0 AS BIGINT) AS distance, CAST(1 AS DOUBLE PRECISION) AS confidence
  FROM starts
  UNION ALL
  SELECT
    reached.run_id, reached.environment, reached.start_id, reached.start_column, steps.node_id,
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
    CAST(
      CASE
        WHEN steps.parent_column IS NULL AND reached.column_name IS NOT NULL AND reached.confidence > 0.5 THEN 0.5
        WHEN steps.confidence < reached.confidence THEN steps.confidence
        ELSE reached.confidence
      END AS DOUBLE PRECISION
    )
  FROM reached
  JOIN steps ON steps.run_id = reached.run_id AND steps.parent_id = reached.unique_id
  WHERE
    reached.distance < 30
    -- a unit test has rows of its own: only a change of its model affects it
    AND (steps.node_id NOT LIKE 'unit_test.%' OR reached.unique_id = reached.start_id)
    AND CASE
      WHEN reached.column_name IS NULL THEN steps.parent_column IS NULL
      WHEN steps.parent_column IS NULL
      THEN NOT steps.is_known OR (steps.is_inlined AND reached.distance = 0)
      ELSE
        steps.parent_column IN (reached.column_name, '*')
        OR reached.column_name = '*'
        -- the catalog may list a field besides its struct; reading the struct reads the field
        OR STARTS_WITH(reached.column_name, steps.parent_column || '.')
    END
)
SELECT
  reached.run_id,
  reached.environment,
  reached.start_id AS node_id,
  reached.start_column AS column_name,
  reached.unique_id AS impacted_id,
  reached.column_name AS impacted_column,
  reached.reach,
  MIN(reached.distance) AS distance,
  MAX(reached.confidence) AS confidence
FROM reached
WHERE
  reached.unique_id <> reached.start_id
  OR COALESCE(reached.column_name, '') <> COALESCE(reached.start_column, '')
GROUP BY
  reached.run_id, reached.environment, reached.start_id, reached.start_column, reached.unique_id, reached.column_name,
  reached.reach;
