-- One row per run, column and what a change of it reaches downstream; where `column_name` is NULL, a change of the
-- node's rows. Name all three: run_id, node_id, column_name.
-- `reach` is 'columns' where the change flows into `impacted_column`, 'rows' where it decides which rows the node has
-- (the column is filtered, joined or grouped by; all columns, here and further down, may change), and 'unknown'
-- where it comes to a node whose own columns are not known. `distance` counts the nodes on the shortest way,
-- `confidence` is that of the surest way, which is as sure as its least sure step. No way has more than 100 steps.
-- Of a relation whose columns are not known there is what its readers name, and '*' for any other column.
-- Key: run_id, node_id, column_name, impacted_id, impacted_column, reach.
CREATE OR REPLACE VIEW column_impact AS
SELECT
  start.run_id,
  start.environment,
  start.node_id,
  start.column_name,
  impact.impacted_id,
  impact.impacted_column,
  impact.reach,
  impact.distance,
  impact.confidence
FROM (
  SELECT
    runs.run_id, runs.environment, runs.graph_id, runs.column_graph_id,
    place.unique_id AS node_id, edge.column_name
  FROM runs
  JOIN column_parts AS part ON part.column_graph_id = runs.column_graph_id
  JOIN column_part_nodes AS place ON place.part_id = part.part_id
  JOIN column_edges AS edge ON edge.lineage_id = place.lineage_id
  WHERE edge.column_name IS NOT NULL
  UNION
  SELECT
    runs.run_id, runs.environment, runs.graph_id, runs.column_graph_id,
    edge.parent_id AS node_id, edge.parent_column AS column_name
  FROM runs
  JOIN column_parts AS part ON part.column_graph_id = runs.column_graph_id
  JOIN column_part_nodes AS place ON place.part_id = part.part_id
  JOIN column_edges AS edge ON edge.lineage_id = place.lineage_id
  WHERE edge.parent_id IS NOT NULL
  UNION
  SELECT
    runs.run_id, runs.environment, runs.graph_id, runs.column_graph_id,
    edge.parent_id AS node_id, CAST(NULL AS TEXT) AS column_name
  FROM runs
  JOIN graph_nodes AS place ON place.graph_id = runs.graph_id
  JOIN version_parents AS edge ON edge.version_id = place.version_id
  WHERE runs.column_graph_id IS NOT NULL
) AS start
CROSS JOIN LATERAL (
  WITH RECURSIVE known AS (
    SELECT place.unique_id
    FROM column_parts AS part
    JOIN column_part_nodes AS place ON place.part_id = part.part_id
    JOIN column_analyses AS analysis ON analysis.lineage_id = place.lineage_id
    WHERE part.column_graph_id = start.column_graph_id AND analysis.reason IS NULL
  ), inlined AS (
    -- an ephemeral model, whose SQL stands in its readers: what they read is known, but not that it was this model's
    SELECT place.unique_id
    FROM graph_nodes AS place
    JOIN node_versions AS version ON version.version_id = place.version_id
    WHERE
      place.graph_id = start.graph_id
      AND place.unique_id = start.node_id
      AND version.materialized = 'ephemeral'
  ), steps AS MATERIALIZED (
    -- from a column into one that is made of it, and into the rows that it decides over
    SELECT
      edge.parent_id, edge.parent_column, place.unique_id AS node_id, edge.column_name, edge.confidence,
      TRUE AS is_known
    FROM column_parts AS part
    JOIN column_part_nodes AS place ON place.part_id = part.part_id
    JOIN column_edges AS edge ON edge.lineage_id = place.lineage_id
    WHERE
      part.column_graph_id = start.column_graph_id
      AND (edge.parent_id <> place.unique_id OR edge.parent_column IS DISTINCT FROM edge.column_name)
      AND edge.kind <> 'referenced'
    UNION ALL
    -- from rows into the rows of every reader, and from a column into readers whose columns are not known
    SELECT
      edge.parent_id, NULL AS parent_column, place.unique_id AS node_id, NULL AS column_name, 1 AS confidence,
      known.unique_id IS NOT NULL AND inlined.unique_id IS NULL AS is_known
    FROM graph_nodes AS place
    JOIN version_parents AS edge ON edge.version_id = place.version_id
    LEFT JOIN known ON known.unique_id = place.unique_id
    LEFT JOIN inlined ON inlined.unique_id = edge.parent_id
    WHERE place.graph_id = start.graph_id
  ), reached AS (
    SELECT
      start.node_id AS unique_id,
      start.column_name,
      CASE WHEN start.column_name IS NULL THEN 'rows' ELSE 'columns' END AS reach,
      0 AS distance,
      CAST(1 AS DOUBLE PRECISION) AS confidence
    UNION
    SELECT
      steps.node_id,
      CASE
        WHEN steps.column_name = '*' AND steps.parent_column = '*' THEN reached.column_name
        ELSE steps.column_name
      END,
      CASE
        WHEN steps.column_name IS NOT NULL THEN 'columns'
        WHEN steps.parent_column IS NOT NULL THEN 'rows'
        WHEN reached.column_name IS NOT NULL THEN 'unknown'
        ELSE reached.reach
      END,
      reached.distance + 1,
      CASE
        WHEN steps.parent_column IS NULL AND reached.column_name IS NOT NULL AND reached.confidence > 0.5 THEN 0.5
        WHEN steps.confidence < reached.confidence THEN steps.confidence
        ELSE reached.confidence
      END
    FROM reached
    JOIN steps ON steps.parent_id = reached.unique_id
    WHERE
      reached.distance < 100
      AND CASE
        WHEN reached.column_name IS NULL THEN steps.parent_column IS NULL
        WHEN steps.parent_column IS NULL
        THEN NOT steps.is_known
        ELSE
          steps.parent_column IN (reached.column_name, '*')
          OR reached.column_name = '*'
          -- a field that the catalog lists beside its struct is read with the struct
          OR LEFT(reached.column_name, LENGTH(steps.parent_column) + 1) = steps.parent_column || '.'
      END
  )
  SELECT
    unique_id AS impacted_id,
    column_name AS impacted_column,
    reach,
    MIN(distance) AS distance,
    MAX(confidence) AS confidence
  FROM reached
  WHERE unique_id <> start.node_id OR COALESCE(column_name, '') <> COALESCE(start.column_name, '')
  GROUP BY unique_id, column_name, reach
) AS impact;
