-- hand-written: JSON_EACH of subqueries instead of LATERAL; the walk looks up its edges in the tables' indexes, because
-- SQLite would collect a common table expression again for each row of a recursion
-- One row per run, column and downstream effect of a change. If `column_name` is NULL, the node's rows change.
-- Filter by run_id, and if possible by node_id and column_name.
-- `reach` is 'columns' if the change affects values of `impacted_column`, 'rows' if it affects which rows the node has,
-- 'unknown' if the node's columns are unknown. 'rows' means that the column is used in a filter, join or group: all
-- columns of the node and of its downstream nodes may change.
-- `distance` is the length of the shortest path. `confidence` is that of the most certain path: the minimum of its
-- edges. Paths have at most 100 edges.
-- For a relation with unknown columns: the columns its readers name, and '*' for all remaining columns.
-- Key: run_id, node_id, column_name, impacted_id, impacted_column, reach.
DROP VIEW IF EXISTS column_impact;
CREATE VIEW column_impact AS
SELECT
  run.run_id,
  run.environment,
  start.value ->> 0 AS node_id,
  start.value ->> 1 AS column_name,
  impact.value ->> 0 AS impacted_id,
  impact.value ->> 1 AS impacted_column,
  impact.value ->> 2 AS reach,
  impact.value ->> 3 AS distance,
  impact.value ->> 4 AS confidence
FROM store_runs AS run
JOIN JSON_EACH((
  WITH reads AS (
    SELECT place.unique_id AS node_id, edge.column_name, edge.parent_id, edge.parent_column
    FROM store_column_parts AS part
    JOIN store_column_part_nodes AS place ON place.part_id = part.part_id
    JOIN store_column_edges AS edge ON edge.lineage_id = place.lineage_id
    WHERE part.column_graph_id = run.column_graph_id
  )
  SELECT JSON_GROUP_ARRAY(JSON_ARRAY(node_id, column_name))
  FROM (
    SELECT node_id, column_name FROM reads WHERE column_name IS NOT NULL
    UNION
    SELECT parent_id AS node_id, parent_column AS column_name FROM reads WHERE parent_id IS NOT NULL
    UNION
    SELECT edge.parent_id AS node_id, CAST(NULL AS TEXT) AS column_name
    FROM store_graph_nodes AS place
    JOIN store_version_parents AS edge ON edge.version_id = place.version_id
    WHERE place.graph_id = run.graph_id AND run.column_graph_id IS NOT NULL
  ) AS places
)) AS start
JOIN JSON_EACH((
  WITH RECURSIVE reached(unique_id, column_name, reach, distance, confidence) AS (
    SELECT
      start.value ->> 0,
      start.value ->> 1,
      CASE WHEN start.value ->> 1 IS NULL THEN 'rows' ELSE 'columns' END,
      0,
      1.0
    UNION
    -- from a column to columns computed from it, and to rows that it affects
    SELECT
      place.unique_id,
      CASE
        WHEN edge.column_name = '*' AND edge.parent_column = '*' THEN reached.column_name
        ELSE edge.column_name
      END,
      CASE
        WHEN edge.column_name IS NOT NULL THEN 'columns'
        WHEN edge.parent_column IS NOT NULL THEN 'rows'
        ELSE reached.reach
      END,
      reached.distance + 1,
      MIN(edge.confidence, reached.confidence)
    FROM reached
    CROSS JOIN store_column_edges AS edge ON edge.parent_id = reached.unique_id
    CROSS JOIN store_column_part_nodes AS place ON place.lineage_id = edge.lineage_id
    CROSS JOIN store_column_parts AS part
      ON part.column_graph_id = run.column_graph_id AND part.part_id = place.part_id
    WHERE
      reached.distance < 100
      -- a unit test has rows of its own: only a change of its model affects it
      AND (place.unique_id NOT LIKE 'unit_test.%' OR reached.unique_id = start.value ->> 0)
      AND edge.kind <> 'referenced'
      AND (edge.parent_id <> place.unique_id OR edge.parent_column IS NOT edge.column_name)
      AND CASE
        WHEN reached.column_name IS NULL THEN edge.parent_column IS NULL
        ELSE
          edge.parent_column IN (reached.column_name, '*')
          OR (edge.parent_column IS NOT NULL AND reached.column_name = '*')
          -- the catalog may list a field besides its struct; reading the struct reads the field
          OR SUBSTR(reached.column_name, 1, LENGTH(edge.parent_column) + 1) = edge.parent_column || '.'
      END
    UNION
    -- from rows to the rows of every reader, and from a column to readers with unknown columns
    SELECT
      place.unique_id,
      NULL,
      CASE WHEN reached.column_name IS NOT NULL THEN 'unknown' ELSE reached.reach END,
      reached.distance + 1,
      CASE WHEN reached.column_name IS NOT NULL THEN MIN(reached.confidence, 0.5) ELSE reached.confidence END
    FROM reached
    CROSS JOIN store_version_parents AS edge ON edge.parent_id = reached.unique_id
    CROSS JOIN store_part_nodes AS place ON place.version_id = edge.version_id
    CROSS JOIN store_graph_parts AS part ON part.graph_id = run.graph_id AND part.part_id = place.part_id
    WHERE
      reached.distance < 100
      -- a unit test has rows of its own: only a change of its model affects it
      AND (place.unique_id NOT LIKE 'unit_test.%' OR reached.unique_id = start.value ->> 0)
      AND run.column_graph_id IS NOT NULL
      AND (
        reached.column_name IS NULL
        OR NOT EXISTS (
          SELECT 1
          FROM store_column_parts AS known_part
          JOIN store_column_part_nodes AS known
            ON known.part_id = known_part.part_id AND known.unique_id = place.unique_id
          JOIN store_column_analyses AS analysis ON analysis.lineage_id = known.lineage_id
          WHERE known_part.column_graph_id = run.column_graph_id AND analysis.reason IS NULL
        )
        OR (
          -- ephemeral models to which no edge leads: their readers were analysed with the SQL of the model as theirs
          reached.distance = 0
          AND EXISTS (
            SELECT 1
            FROM store_graph_nodes AS inlined
            JOIN store_node_versions AS version ON version.version_id = inlined.version_id
            WHERE
              inlined.graph_id = run.graph_id
              AND inlined.unique_id = reached.unique_id
              AND version.materialized = 'ephemeral'
              AND NOT EXISTS (
                SELECT 1
                FROM store_column_edges AS read
                JOIN store_column_part_nodes AS reader ON reader.lineage_id = read.lineage_id
                JOIN store_column_parts AS read_part
                  ON read_part.column_graph_id = run.column_graph_id AND read_part.part_id = reader.part_id
                WHERE read.parent_id = reached.unique_id
              )
          )
        )
      )
  )
  SELECT JSON_GROUP_ARRAY(JSON_ARRAY(unique_id, column_name, reach, distance, confidence))
  FROM (
    SELECT unique_id, column_name, reach, MIN(distance) AS distance, MAX(confidence) AS confidence
    FROM reached
    WHERE unique_id <> start.value ->> 0 OR COALESCE(column_name, '') <> COALESCE(start.value ->> 1, '')
    GROUP BY unique_id, column_name, reach
  ) AS nearest
)) AS impact;
