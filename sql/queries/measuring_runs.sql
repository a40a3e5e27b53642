-- Runs with the last result of a node that the latest run of the project and environment has, or with the last row count
-- of any node.
SELECT DISTINCT run_id
FROM (
  SELECT
    runs.run_id,
    measured.kind,
    CASE WHEN place.unique_id IS NULL THEN 0 ELSE 1 END AS is_node,
    ROW_NUMBER() OVER (
      PARTITION BY runs.project_name, runs.environment, measured.unique_id, measured.kind
      ORDER BY LEAST(runs.run_at, runs.recorded_at) DESC, runs.recorded_at DESC, runs.run_id
    ) AS age
  FROM (
    -- without a command, the results are those of another invocation
    SELECT result.run_id, result.unique_id, 'result' AS kind
    FROM store_run_results AS result
    JOIN store_runs AS own ON own.run_id = result.run_id
    WHERE own.command IS NOT NULL
    UNION ALL
    SELECT run_id, unique_id, 'count' AS kind FROM store_node_statistics WHERE row_count IS NOT NULL
  ) AS measured
  JOIN store_runs AS runs ON runs.run_id = measured.run_id
  JOIN latest_runs AS latest ON latest.project_name = runs.project_name AND latest.environment = runs.environment
  LEFT JOIN store_graph_nodes AS place
    ON place.graph_id = latest.graph_id AND place.unique_id = measured.unique_id
) AS measured_in_time
WHERE age = 1 AND (is_node = 1 OR kind = 'count');
