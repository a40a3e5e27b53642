-- One row per project, environment, node and version of the node: the first and last run with that content, and the
-- results of its runs in dbt. A version that returned after another version has one row.
-- Key: project_name, environment, unique_id, version_id.
CREATE OR REPLACE VIEW recce_metadata.run_history AS
SELECT
  run.project_name,
  run.environment,
  place.unique_id,
  place.version_id,
  MIN(LEAST(run.run_at, run.recorded_at)) AS first_run_at,
  MAX(LEAST(run.run_at, run.recorded_at)) AS last_run_at,
  COUNT(*) AS runs,
  COUNT(result.status) AS results,
  COUNT(
    CASE
      WHEN result.status IN ('error', 'fail', 'runtime error', 'partial success')
      THEN 1
    END
  ) AS failures,
  AVG(result.seconds) AS average_seconds,
  MAX(result.seconds) AS longest_seconds,
  MAX(
    CASE
      WHEN result.status IN ('success', 'pass')
      THEN LEAST(run.run_at, run.recorded_at)
    END
  ) AS last_success_at
FROM recce_metadata.store_runs AS run
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = run.graph_id
LEFT JOIN recce_metadata.store_run_results AS result
  ON result.run_id = run.run_id AND result.unique_id = place.unique_id
GROUP BY
  run.project_name,
  run.environment,
  place.unique_id,
  place.version_id;
