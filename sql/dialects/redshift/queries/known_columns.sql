-- Analyses of the latest column graphs of a project, of any environment and of one, with their output columns and the
-- first position of each. An analysis without columns has one row without a column.
SELECT
  place.lineage_id,
  edge.column_name,
  MIN(edge.ordinal) AS ordinal
FROM (
  SELECT
    column_graph_id
  FROM (
    SELECT
      column_graph_id,
      environment,
      ROW_NUMBER() OVER (ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id) AS place_of_all,
      ROW_NUMBER() OVER (
        PARTITION BY environment
        ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
      ) AS place_there
    FROM recce_metadata.store_runs
    /* Analyses of workspaces come from editors, and have ids of their own. */
    WHERE
      project_name = :project
      AND column_graph_id IS NOT NULL
      AND NOT LEFT(environment, LENGTH('workspace:')) = 'workspace:'
  ) AS ranked
  WHERE
    place_of_all = 1 OR (
      place_there = 1 AND environment = :environment
    )
  GROUP BY
    column_graph_id
) AS latest
JOIN recce_metadata.store_column_parts AS part
  ON part.column_graph_id = latest.column_graph_id
JOIN recce_metadata.store_column_part_nodes AS place
  ON place.part_id = part.part_id
LEFT JOIN recce_metadata.store_column_edges AS edge
  ON edge.lineage_id = place.lineage_id AND edge.column_name IS NOT NULL
GROUP BY
  place.lineage_id,
  edge.column_name;
