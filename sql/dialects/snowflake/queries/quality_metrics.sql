-- User-defined metrics, for the tables in a newline-separated list, or all tables if it is NULL.
SELECT
  unique_id,
  ordinal,
  metric_name,
  value,
  value_kind,
  threshold,
  holds,
  reason
FROM recce_metadata.store_quality_metrics
WHERE
  quality_run_id = :quality_run_id
  AND (
    CAST(:ids AS VARCHAR) IS NULL
    OR unique_id IN (
      SELECT
        CAST(line.value AS VARCHAR)
      FROM TABLE(FLATTEN(INPUT => SPLIT(CAST(:ids AS VARCHAR), CHR(10)))) AS line
    )
  )
ORDER BY
  unique_id,
  ordinal,
  place;
