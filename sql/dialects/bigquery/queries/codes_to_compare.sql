-- Codes of the runs with the last result or row count of a node of the latest run, newest first, that were not compared
-- with the code of the latest run yet. NULL selects every project and environment. Without a command, the results of a run
-- are those of another invocation.
WITH measuring AS (
  SELECT
    latest.run_id AS latest_run_id,
    latest.graph_id AS latest_graph_id,
    latest.macro_set_id AS latest_macro_set_id,
    runs.run_id,
    runs.graph_id,
    runs.macro_set_id,
    LEAST(runs.run_at, runs.recorded_at) AS measured_at,
    CASE
      WHEN runs.command IS NOT NULL
      AND runs.target_database IS NOT DISTINCT FROM latest.target_database
      AND runs.target_schema IS NOT DISTINCT FROM latest.target_schema
      THEN 1
      ELSE 0
    END AS has_results,
    ROW_NUMBER() OVER (
      PARTITION BY runs.project_name, runs.environment
      ORDER BY LEAST(runs.run_at, runs.recorded_at) DESC, runs.recorded_at DESC, runs.run_id
    ) AS age
  FROM recce_metadata.latest_runs AS latest
  JOIN recce_metadata.store_runs AS runs
    ON runs.project_name = latest.project_name AND runs.environment = latest.environment
  WHERE
    latest.extractor = 'dbt'
    AND runs.extractor = 'dbt'
    AND (
      CAST(:project AS STRING) IS NULL
      OR latest.project_name = CAST(:project AS STRING)
    )
    AND (
      CAST(:environment AS STRING) IS NULL
      OR latest.environment = CAST(:environment AS STRING)
    )
), measured AS (
  SELECT
    run.latest_run_id,
    run.latest_graph_id,
    'result' AS kind,
    result.unique_id,
    MIN(run.age) AS age
  FROM measuring AS run
  JOIN recce_metadata.store_run_results AS result
    ON result.run_id = run.run_id
  WHERE
    run.age <= CAST(:most AS INT64) AND run.has_results = 1
  /* The node is first: in the order of the joins below, PostgreSQL would sort all counts, which takes longer than to hash. */
  GROUP BY
    result.unique_id,
    run.latest_run_id,
    run.latest_graph_id
  UNION ALL
  SELECT
    run.latest_run_id,
    run.latest_graph_id,
    'count' AS kind,
    counted.unique_id,
    MIN(run.age) AS age
  FROM measuring AS run
  JOIN recce_metadata.store_node_statistics AS counted
    ON counted.run_id = run.run_id
  WHERE
    run.age <= CAST(:most AS INT64) AND counted.row_count IS NOT NULL
  GROUP BY
    counted.unique_id,
    run.latest_run_id,
    run.latest_graph_id
)
SELECT
  run.latest_run_id,
  run.graph_id,
  run.macro_set_id,
  MAX(run.measured_at) AS measured_at
FROM measured
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = measured.latest_graph_id
  AND place.unique_id = measured.unique_id
JOIN measuring AS run
  ON run.latest_run_id = measured.latest_run_id AND run.age = measured.age
LEFT JOIN recce_metadata.store_code_steps AS step
  ON step.graph_id = run.latest_graph_id
  AND step.macro_set_id = run.latest_macro_set_id
  AND step.previous_graph_id = run.graph_id
  AND step.previous_macro_set_id = run.macro_set_id
WHERE
  step.step_id IS NULL
  AND (
    run.graph_id <> run.latest_graph_id
    OR run.macro_set_id <> run.latest_macro_set_id
  )
GROUP BY
  run.latest_run_id,
  run.graph_id,
  run.macro_set_id
ORDER BY
  MAX(run.measured_at) DESC NULLS FIRST;
