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
FROM store_quality_metrics
WHERE
  quality_run_id = :quality_run_id
  AND (
    CAST(:ids AS TEXT) IS NULL
    OR unique_id IN (
      SELECT
        line.value
      FROM JSON_EACH(
        '[' || REPLACE(REPLACE(JSON_QUOTE(CAST(:ids AS TEXT)), '\\', '\u005c'), '\n', '","') || ']'
      ) AS line
    )
  )
ORDER BY
  unique_id NULLS LAST,
  ordinal NULLS LAST,
  place NULLS LAST;
