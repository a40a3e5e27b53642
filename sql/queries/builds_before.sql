-- Last build of each of `builds`, a newline-separated list of unique id and run id, until that run, which is one of
-- `run_ids`, in the project, environment and target of a run.
SELECT unique_id, until_run_id, graph_id, macro_set_id, run_at, command, run_id
FROM (
  SELECT
    result.unique_id,
    later.run_id AS until_run_id,
    runs.graph_id,
    runs.macro_set_id,
    LEAST(runs.run_at, runs.recorded_at) AS run_at,
    runs.command,
    runs.run_id,
    ROW_NUMBER() OVER (
      PARTITION BY result.unique_id, later.run_id ORDER BY LEAST(runs.run_at, runs.recorded_at) DESC, runs.recorded_at DESC, runs.run_id
    ) AS age
  FROM store_runs AS own
  JOIN store_runs AS later
    ON later.project_name = own.project_name AND later.environment = own.environment AND later.extractor = own.extractor
  JOIN store_runs AS runs
    ON runs.project_name = own.project_name AND runs.environment = own.environment AND runs.extractor = own.extractor
  JOIN store_run_results AS result ON result.run_id = runs.run_id
  WHERE
    own.run_id = :run_id
    AND later.run_id IN (SELECT wanted.run_id FROM UNNEST(STRING_TO_ARRAY(:run_ids, CHR(10))) AS wanted(run_id))
    AND result.unique_id || ' ' || later.run_id
    IN (SELECT asked.build FROM UNNEST(STRING_TO_ARRAY(:builds, CHR(10))) AS asked(build))
    AND LEAST(runs.run_at, runs.recorded_at) <= LEAST(later.run_at, later.recorded_at)
    AND runs.target_database IS NOT DISTINCT FROM own.target_database
    AND runs.target_schema IS NOT DISTINCT FROM own.target_schema
    -- without a command, the results are those of another invocation
    AND runs.command IS NOT NULL
    AND result.status = 'success'
) AS builds_before
WHERE age = 1;
