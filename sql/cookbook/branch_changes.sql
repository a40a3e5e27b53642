-- What does this branch or pull request change against production?
-- Asked by: the author or reviewer of a pull request whose run was recorded.
-- Answer: shop | feature/margin | PR 812 | model.shop.orders | modified | code_changed true
-- Topic: Branches
SELECT
  project_name,
  branch,
  pull_request,
  unique_id,
  status,
  code_changed,
  compiled_changed,
  config_changed,
  columns_changed,
  base_run_id,
  run_id
FROM branch_changes
WHERE environment = 'current' -- edit: the environment, or branch = '…', or pull_request = '…'
ORDER BY project_name, branch, status, unique_id;
