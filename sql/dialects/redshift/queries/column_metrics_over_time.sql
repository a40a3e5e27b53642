-- Metrics of one column of one table in the measurements of a newline-separated list.
SELECT
  quality_run_id,
  metric_name,
  value,
  value_kind,
  threshold,
  holds,
  reason
FROM recce_metadata.store_quality_metrics
WHERE
  unique_id = :unique_id
  AND column_name = :column_name
  AND quality_run_id IN (
    SELECT
      CAST(line AS VARCHAR(65535))
    FROM (
      SELECT
        SPLIT_TO_ARRAY(:run_ids, CHR(10)) AS lines
    ) AS split, split.lines AS line
  )
ORDER BY
  quality_run_id,
  place;
