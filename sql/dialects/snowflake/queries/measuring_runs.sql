-- Runs with the last result or row count of a node that the latest run of the project and environment has.
SELECT DISTINCT
  run_id
FROM (
  SELECT
    runs.run_id,
    ROW_NUMBER() OVER (
      PARTITION BY runs.project_name, runs.environment, measured.unique_id, measured.kind
      ORDER BY LEAST_IGNORE_NULLS(runs.run_at, runs.recorded_at) DESC, runs.recorded_at DESC, runs.run_id
    ) AS age
  FROM (
    /* without a command, the results are those of another invocation */
    SELECT
      result.run_id,
      result.unique_id,
      'result' AS kind
    FROM recce_metadata.store_run_results AS result
    JOIN recce_metadata.store_runs AS own
      ON own.run_id = result.run_id
    WHERE
      own.command IS NOT NULL
    UNION ALL
    SELECT
      run_id,
      unique_id,
      'count' AS kind
    FROM recce_metadata.store_node_statistics
    WHERE
      row_count IS NOT NULL
  ) AS measured
  JOIN recce_metadata.store_runs AS runs
    ON runs.run_id = measured.run_id
  JOIN recce_metadata.latest_runs AS latest
    ON latest.project_name = runs.project_name AND latest.environment = runs.environment
  JOIN recce_metadata.store_graph_parts AS graph_parts
    ON graph_parts.graph_id = latest.graph_id
  JOIN recce_metadata.store_part_nodes AS part_nodes
    ON part_nodes.part_id = graph_parts.part_id
    AND part_nodes.unique_id = measured.unique_id
) AS measured_in_time
WHERE
  age = 1;
