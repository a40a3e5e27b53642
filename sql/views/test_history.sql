-- One row per project, environment, branch and test: how often its outcome changed, and since when it has the present one.
-- Key: project_name, environment, branch, unique_id. `branch` is NULL in `base`, which has one history.
-- `outcome` is 'pass', 'warn' or 'fail' (also for an error); a skipped test has none. `flips` counts changes of the outcome.
-- `since_run_id`, `since_run_at` and `since_git_sha` are the first run with the present outcome without another one after it.
-- Example: since when does each failing test fail? SELECT unique_id, since_run_at, since_git_sha FROM test_history
-- WHERE outcome = 'fail'
CREATE OR REPLACE VIEW test_history AS
SELECT
  project_name,
  environment,
  branch,
  unique_id,
  outcome,
  failures,
  run_id,
  run_at,
  since_run_id,
  since_run_at,
  since_git_sha,
  flips,
  results,
  failed_results,
  last_pass_at,
  first_run_at
FROM (
  SELECT
    project_name,
    environment,
    branch,
    unique_id,
    outcome,
    MAX(CASE WHEN place = results THEN failures END) OVER test AS failures,
    MAX(CASE WHEN place = results THEN run_id END) OVER test AS run_id,
    MAX(CASE WHEN place = results THEN run_at END) OVER test AS run_at,
    run_id AS since_run_id,
    run_at AS since_run_at,
    git_sha AS since_git_sha,
    COUNT(CASE WHEN outcome <> previous_outcome THEN 1 END) OVER test AS flips,
    results,
    COUNT(CASE WHEN outcome = 'fail' THEN 1 END) OVER test AS failed_results,
    MAX(CASE WHEN outcome = 'pass' THEN run_at END) OVER test AS last_pass_at,
    MIN(run_at) OVER test AS first_run_at,
    place,
    MAX(CASE WHEN previous_outcome IS NULL OR outcome <> previous_outcome THEN place END) OVER test AS last_change
  FROM (
    SELECT
      project_name,
      environment,
      branch,
      unique_id,
      run_id,
      run_at,
      git_sha,
      failures,
      outcome,
      LAG(outcome) OVER in_time AS previous_outcome,
      ROW_NUMBER() OVER in_time AS place,
      COUNT(*) OVER (PARTITION BY project_name, environment, branch, unique_id) AS results
    FROM (
      SELECT
        runs.project_name,
        runs.environment,
        CASE WHEN runs.environment = 'base' THEN NULL ELSE runs.branch END AS branch,
        result.unique_id,
        runs.run_id,
        runs.run_at,
        runs.recorded_at,
        runs.git_sha,
        result.failures,
        CASE
          WHEN result.status IN ('pass', 'success') THEN 'pass'
          WHEN result.status = 'warn' THEN 'warn'
          WHEN result.status IN ('fail', 'error', 'runtime error') THEN 'fail'
        END AS outcome
      FROM store_runs AS runs
      JOIN store_run_results AS result ON result.run_id = runs.run_id
      WHERE STARTS_WITH(result.unique_id, 'test.') OR STARTS_WITH(result.unique_id, 'unit_test.')
    ) AS tests
    WHERE outcome IS NOT NULL
    WINDOW in_time AS (
      PARTITION BY project_name, environment, branch, unique_id
      ORDER BY LEAST(run_at, recorded_at), recorded_at, run_id DESC
    )
  ) AS tests_in_time
  WINDOW test AS (PARTITION BY project_name, environment, branch, unique_id)
) AS outcomes
WHERE place = last_change;
