-- Metrics of one column of one table in the measurements of a newline-separated list.
SELECT quality_run_id, metric_name, value, value_kind, threshold, holds, reason
FROM store_quality_metrics
WHERE
  unique_id = :unique_id
  AND column_name = :column_name
  AND quality_run_id IN (SELECT wanted.run_id FROM UNNEST(STRING_TO_ARRAY(:run_ids, CHR(10))) AS wanted(run_id))
ORDER BY quality_run_id, place;
