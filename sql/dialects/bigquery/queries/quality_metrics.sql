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
    CAST(:ids AS STRING) IS NULL
    OR unique_id IN UNNEST(SPLIT(CAST(:ids AS STRING), CHR(10)))
  )
ORDER BY
  unique_id NULLS LAST,
  ordinal NULLS LAST,
  place NULLS LAST;
