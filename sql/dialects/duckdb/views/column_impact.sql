-- hand-written: one walk for all columns of a run, instead of JSON. Each part names its run, because DuckDB up to 1.4
-- mixes up runs in nested lateral joins
-- One row per run, column and downstream effect of a change. If `column_name` is NULL, the node's rows change.
-- Filter by run_id, and if possible by node_id and column_name.
-- `reach` is 'columns' if the change affects values of `impacted_column`, 'rows' if it affects which rows the node has,
-- 'unknown' if the node's columns are unknown. 'rows' means that the column is used in a filter, join or group: all
-- columns of the node and of its downstream nodes may change.
-- `distance` is the length of the shortest path. `confidence` is that of the most certain path: the minimum of its
-- edges. Paths have at most 100 edges.
-- For a relation with unknown columns: the columns its readers name, and '*' for all remaining columns.
-- Key: run_id, node_id, column_name, impacted_id, impacted_column, reach.
CREATE OR REPLACE VIEW recce_metadata.column_impact AS
SELECT
  run.run_id,
  run.environment,
  impact.node_id,
  impact.column_name,
  impact.impacted_id,
  impact.impacted_column,
  impact.reach,
  impact.distance,
  impact.confidence
FROM recce_metadata.store_runs AS run
CROSS JOIN LATERAL (
  WITH RECURSIVE known AS (
    SELECT run.run_id AS of_run, place.unique_id
    FROM recce_metadata.store_column_parts AS part
    JOIN recce_metadata.store_column_part_nodes AS place ON place.part_id = part.part_id
    JOIN recce_metadata.store_column_analyses AS analysis ON analysis.lineage_id = place.lineage_id
    WHERE part.column_graph_id = run.column_graph_id AND analysis.reason IS NULL
  ), reads AS MATERIALIZED (
    SELECT
      run.run_id AS of_run, place.unique_id AS node_id, edge.column_name, edge.parent_id, edge.parent_column, edge.kind,
      edge.confidence
    FROM recce_metadata.store_column_parts AS part
    JOIN recce_metadata.store_column_part_nodes AS place ON place.part_id = part.part_id
    JOIN recce_metadata.store_column_edges AS edge ON edge.lineage_id = place.lineage_id
    WHERE part.column_graph_id = run.column_graph_id
  ), ephemeral AS (
    SELECT run.run_id AS of_run, place.unique_id
    FROM recce_metadata.store_graph_nodes AS place
    JOIN recce_metadata.store_node_versions AS version ON version.version_id = place.version_id
    WHERE place.graph_id = run.graph_id AND version.materialized = 'ephemeral'
  ), inlined AS (
    -- ephemeral models to which no edge leads: their readers were analysed with the SQL of the model as theirs.
    -- A join, because DuckDB up to 1.3 cannot run NOT IN here
    SELECT model.of_run, model.unique_id
    FROM ephemeral AS model
    LEFT JOIN reads ON reads.parent_id = model.unique_id AND reads.of_run = model.of_run
    WHERE reads.parent_id IS NULL
  ), edges AS (
    SELECT run.run_id AS of_run, place.unique_id AS node_id, edge.parent_id
    FROM recce_metadata.store_graph_nodes AS place
    JOIN recce_metadata.store_version_parents AS edge ON edge.version_id = place.version_id
    WHERE place.graph_id = run.graph_id AND run.column_graph_id IS NOT NULL
  ), node_reads AS MATERIALIZED (
    SELECT
      edge.of_run, edge.node_id, edge.parent_id, known.unique_id IS NOT NULL AS is_known,
      inlined.unique_id IS NOT NULL AS is_inlined
    FROM edges AS edge
    LEFT JOIN known ON known.unique_id = edge.node_id AND known.of_run = edge.of_run
    LEFT JOIN inlined ON inlined.unique_id = edge.parent_id AND inlined.of_run = edge.of_run
  ), steps AS MATERIALIZED (
    -- from a column to columns computed from it, and to rows that it affects
    SELECT
      of_run, parent_id, parent_column, node_id, column_name, confidence, TRUE AS is_known, FALSE AS is_inlined
    FROM reads
    WHERE (parent_id <> node_id OR parent_column IS DISTINCT FROM column_name) AND kind <> 'referenced'
    UNION ALL
    -- from rows to the rows of every reader, and from a column to readers with unknown columns
    SELECT
      of_run, parent_id, NULL AS parent_column, node_id, NULL AS column_name, 1 AS confidence, is_known, is_inlined
    FROM node_reads
  ), starts AS (
    SELECT of_run, node_id, column_name FROM reads WHERE column_name IS NOT NULL
    UNION
    SELECT of_run, parent_id AS node_id, parent_column AS column_name FROM reads WHERE parent_id IS NOT NULL
    UNION
    SELECT of_run, parent_id AS node_id, CAST(NULL AS TEXT) AS column_name FROM node_reads
  ), reached AS (
    SELECT
      of_run,
      node_id AS start_id,
      column_name AS start_column,
      node_id AS unique_id,
      column_name,
      CASE WHEN column_name IS NULL THEN 'rows' ELSE 'columns' END AS reach,
      0 AS distance,
      CAST(1 AS DOUBLE) AS confidence
    FROM starts
    UNION
    SELECT
      reached.of_run,
      reached.start_id,
      reached.start_column,
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
    JOIN steps AS step ON step.parent_id = reached.unique_id AND step.of_run = reached.of_run
    WHERE
      reached.distance < 100
      -- a unit test has rows of its own: only a change of its model affects it
      AND (step.node_id NOT LIKE 'unit_test.%' OR reached.unique_id = reached.start_id)
      AND CASE
        WHEN reached.column_name IS NULL THEN step.parent_column IS NULL
        WHEN step.parent_column IS NULL
        THEN NOT step.is_known OR (step.is_inlined AND reached.distance = 0)
        ELSE
          step.parent_column IN (reached.column_name, '*')
          OR reached.column_name = '*'
          -- the catalog may list a field besides its struct; reading the struct reads the field
          OR LEFT(reached.column_name, LENGTH(step.parent_column) + 1) = step.parent_column || '.'
      END
  )
  SELECT
    start_id AS node_id,
    start_column AS column_name,
    unique_id AS impacted_id,
    column_name AS impacted_column,
    reach,
    MIN(distance) AS distance,
    MAX(confidence) AS confidence
  FROM reached
  WHERE
    of_run = run.run_id
    AND (unique_id <> start_id OR COALESCE(column_name, '') <> COALESCE(start_column, ''))
  GROUP BY start_id, start_column, unique_id, column_name, reach
) AS impact;
