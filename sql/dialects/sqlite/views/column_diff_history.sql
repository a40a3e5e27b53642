-- One row per saved value diff and column. Key: diff_id, ordinal.
-- `status` is 'equal', 'changed', 'incomparable' (see `reason`), 'added' (only in current) or 'removed'.
DROP VIEW IF EXISTS column_diff_history;
CREATE VIEW column_diff_history AS
SELECT
  diff.diff_id,
  diff.taken_at,
  diff.project_name,
  diff.base_run_id,
  diff.current_run_id,
  diff.current_environment,
  diff.current_git_sha,
  diff.branch,
  diff.pull_request,
  diff.unique_id,
  diff.subject_name,
  item.ordinal,
  item.column_name,
  item.status,
  item.base_type,
  item.current_type,
  item.compared_as,
  item.matched,
  item.mismatched,
  CAST(item.matched AS REAL) / NULLIF(item.matched + item.mismatched, 0) AS match_share,
  item.null_to_value,
  item.value_to_null,
  item.mean_difference,
  item.largest_difference,
  item.reason
FROM data_diff_history AS diff
JOIN store_column_diffs AS item
  ON item.diff_id = diff.diff_id;
