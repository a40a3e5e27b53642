-- How have the row counts of a model developed?
-- Asked by: an analyst who hears that "there used to be more rows". Needs runs recorded with --stats.
-- Answer: shop | model.shop.orders | 2026-11-18 06:10 | 61 948 rows | 512 more than before (+0.8 %)
WITH params AS (
  SELECT
    MIN(counted.unique_id) AS unique_id, /* edit: the unique id of the model instead of the first one by name */
    'base' AS environment /* edit: the environment */
  FROM recce_metadata.row_count_history AS counted
  WHERE
    STARTS_WITH(counted.unique_id, 'model.')
)
SELECT
  history.project_name,
  history.unique_id,
  history.run_at,
  history.row_count,
  history.row_delta,
  ROUND(CAST(100 * history.row_change AS BIGNUMERIC), 1) AS percent_change,
  history.git_sha,
  history.run_id
FROM params
JOIN recce_metadata.row_count_history AS history
  ON history.unique_id = params.unique_id AND history.environment = params.environment
ORDER BY
  history.project_name NULLS LAST,
  history.run_at DESC NULLS FIRST,
  history.run_id NULLS LAST;
