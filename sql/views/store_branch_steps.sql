-- One row per latest run of a branch: the step to it from the run of base that it is compared with.
-- Key: run_id. Read `branch_changes` instead.
-- The run of base is the last one before the run of the branch, else the latest: the merge base, which `diff` prefers, is
-- only known to git. Scans, runs of editors and runs on the branch of base are left out.
CREATE OR REPLACE VIEW store_branch_steps AS
SELECT
  run_id,
  previous_run_id,
  project_name,
  environment,
  run_at,
  previous_run_at,
  graph_id,
  previous_graph_id,
  node_count,
  dbt_version,
  previous_dbt_version,
  extractor,
  branch,
  pull_request,
  git_sha,
  previous_git_sha
FROM (
  SELECT
    latest.run_id,
    base.run_id AS previous_run_id,
    latest.project_name,
    latest.environment,
    latest.run_at,
    base.run_at AS previous_run_at,
    latest.graph_id,
    base.graph_id AS previous_graph_id,
    latest.node_count,
    latest.dbt_version,
    base.dbt_version AS previous_dbt_version,
    latest.extractor,
    latest.branch,
    base.branch AS previous_branch,
    latest.pull_request,
    latest.git_sha,
    base.git_sha AS previous_git_sha,
    ROW_NUMBER() OVER (
      PARTITION BY latest.run_id
      ORDER BY
        CASE WHEN LEAST(base.run_at, base.recorded_at) <= LEAST(latest.run_at, latest.recorded_at) THEN 0 ELSE 1 END,
        LEAST(base.run_at, base.recorded_at) DESC,
        base.recorded_at DESC,
        base.run_id
    ) AS place
  FROM (
    SELECT
      runs.*,
      ROW_NUMBER() OVER (
        PARTITION BY project_name, environment, branch
        ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
      ) AS age
    FROM store_runs AS runs
    WHERE
      status = 'complete'
      AND extractor <> 'database'
      AND environment <> 'base'
      AND NOT STARTS_WITH(environment, 'workspace:')
      AND NOT STARTS_WITH(COALESCE(branch, ''), 'base:')
  ) AS latest
  JOIN store_runs AS base ON base.project_name = latest.project_name
  WHERE latest.age = 1 AND base.environment = 'base' AND base.status = 'complete' AND base.extractor <> 'database'
) AS pairs
WHERE place = 1 AND (branch IS NULL OR previous_branch IS NULL OR branch <> previous_branch);
