-- In which columns did the share of NULLs grow since the previous measurement?
-- Asked by: a data owner. Needs two runs of the command quality.
-- Answer: shop | relation.public.customer | phone | 0.31 of the rows, 0.02 before
-- Topic: Data
SELECT
  history.project_name,
  history.unique_id,
  history.column_name,
  history.null_share,
  history.previous_null_share,
  history.null_share_change,
  history.started_at,
  history.previous_quality_run_id
FROM quality_history AS history
WHERE
  history.environment = 'current' -- edit: the environment
  AND history.next_quality_run_id IS NULL
  AND history.null_share_change >= 0.01 -- edit: minimum increase of the share
ORDER BY history.null_share_change DESC, history.project_name, history.unique_id, history.ordinal;
