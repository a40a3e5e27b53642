-- Latest measurement of each table, with the previous one and the number of conditions that do not hold; tables that
-- could not be measured are first, then those with the lowest score. NULL disables a filter.
SELECT
  latest.project_name,
  latest.environment,
  latest.unique_id,
  latest.name,
  latest.relation,
  latest.quality_run_id,
  latest.run_id,
  latest.measured_at,
  latest.row_count,
  latest.sampled_rows,
  latest.column_count,
  latest.score,
  latest.reason,
  history.previous_score,
  history.previous_row_count,
  history.previous_quality_run_id,
  COALESCE(broken.violations, 0) AS violations,
  COALESCE(broken.conditions, 0) AS conditions
FROM latest_table_quality AS latest
LEFT JOIN table_quality_history AS history
  ON history.quality_run_id = latest.quality_run_id
  AND history.unique_id = latest.unique_id
LEFT JOIN (
  SELECT
    quality_run_id,
    unique_id,
    SUM(CASE WHEN NOT holds OR reason IS NOT NULL THEN 1 ELSE 0 END) AS violations,
    COUNT(threshold) AS conditions
  FROM store_quality_metrics
  GROUP BY
    quality_run_id,
    unique_id
) AS broken
  ON broken.quality_run_id = latest.quality_run_id
  AND broken.unique_id = latest.unique_id
WHERE
  (
    CAST(:project AS TEXT) IS NULL OR latest.project_name = CAST(:project AS TEXT)
  )
  AND (
    CAST(:environment AS TEXT) IS NULL
    OR latest.environment = CAST(:environment AS TEXT)
  )
  AND (
    CAST(:unique_id AS TEXT) IS NULL OR latest.unique_id = CAST(:unique_id AS TEXT)
  )
ORDER BY
  CASE WHEN latest.reason IS NULL THEN 1 ELSE 0 END NULLS LAST,
  CASE WHEN latest.score IS NULL THEN 1 ELSE 0 END NULLS LAST,
  latest.score NULLS LAST,
  latest.name NULLS LAST,
  latest.unique_id NULLS LAST,
  latest.project_name NULLS LAST,
  latest.environment NULLS LAST;
