-- Which columns' values changed most often, in the data diffs that were kept?
-- Asked by: a reviewer who wants to know what to expect. Needs data diffs saved with --save.
-- Answer: shop | model.shop.orders | amount | changed in 7 of 12 diffs | 0.93 of the rows matched at worst
-- Topic: Data
SELECT
  item.project_name,
  item.unique_id,
  item.subject_name,
  LOWER(item.column_name) AS column_name,
  COUNT(CASE WHEN item.status = 'changed' THEN 1 END) AS times_changed,
  COUNT(*) AS times_compared,
  MIN(item.match_share) AS lowest_match_share,
  CAST(SUM(item.mismatched) AS BIGINT) AS rows_changed,
  MAX(CASE WHEN item.status = 'changed' THEN item.taken_at END) AS last_changed_at
FROM column_diff_history AS item
WHERE item.status IN ('equal', 'changed')
GROUP BY item.project_name, item.unique_id, item.subject_name, LOWER(item.column_name)
HAVING COUNT(CASE WHEN item.status = 'changed' THEN 1 END) > 0
ORDER BY times_changed DESC, rows_changed DESC, item.project_name, item.unique_id, item.subject_name, LOWER(item.column_name)
LIMIT 50; -- edit: number of rows
