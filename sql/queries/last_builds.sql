-- Last build of each model, seed and snapshot until a run, in its project, environment and target.
SELECT unique_id, graph_id, macro_set_id, run_at, command, run_id
FROM (
  SELECT
    result.unique_id,
    runs.graph_id,
    runs.macro_set_id,
    LEAST(runs.run_at, runs.recorded_at) AS run_at,
    runs.command,
    runs.run_id,
    ROW_NUMBER() OVER (
      PARTITION BY result.unique_id ORDER BY LEAST(runs.run_at, runs.recorded_at) DESC, runs.recorded_at DESC, runs.run_id
    ) AS age
  FROM store_runs AS own
  JOIN store_runs AS runs
    ON runs.project_name = own.project_name AND runs.environment = own.environment AND runs.extractor = own.extractor
  JOIN store_run_results AS result ON result.run_id = runs.run_id
  WHERE
    own.run_id = :run_id
    AND LEAST(runs.run_at, runs.recorded_at) <= LEAST(own.run_at, own.recorded_at)
    AND runs.target_database IS NOT DISTINCT FROM own.target_database
    AND runs.target_schema IS NOT DISTINCT FROM own.target_schema
    -- without a command, the results are those of another invocation
    AND runs.command IS NOT NULL
    AND result.status = 'success'
    AND (
      STARTS_WITH(result.unique_id, 'model.')
      OR STARTS_WITH(result.unique_id, 'seed.')
      OR STARTS_WITH(result.unique_id, 'snapshot.')
    )
) AS builds_in_time
WHERE age = 1;
