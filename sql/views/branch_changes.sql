-- One row per branch and node in which its latest run differs from base. Key: run_id, unique_id.
-- Base is the last run of `base` before the run of the branch; `diff` takes that of the merge base if git knows it. `status`
-- is 'added', 'removed' or 'modified', by the rules of `node_changes`; a node in another schema or database is equal.
-- Example: what does a pull request change? SELECT unique_id, status FROM branch_changes WHERE pull_request = '812'
CREATE OR REPLACE VIEW branch_changes AS
SELECT
  step.project_name,
  step.environment,
  step.branch,
  step.pull_request,
  step.run_id,
  step.run_at,
  step.git_sha,
  step.previous_run_id AS base_run_id,
  step.previous_run_at AS base_run_at,
  step.previous_git_sha AS base_git_sha,
  change.unique_id,
  change.name,
  change.resource_type,
  change.status,
  change.code_changed,
  change.compiled_changed,
  change.config_changed,
  change.columns_changed,
  change.description_changed,
  change.contract_changed,
  change.version_id,
  change.previous_version_id AS base_version_id,
  change.relation_name,
  change.previous_relation_name AS base_relation_name
FROM store_branch_steps AS step
JOIN store_branch_changes AS change ON change.run_id = step.run_id
WHERE change.status IN ('added', 'removed', 'modified');
