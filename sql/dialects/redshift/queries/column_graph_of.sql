-- Column graph of the latest run of this graph by the same recorder; its result can be reused.
SELECT
  column_graph_id
FROM recce_metadata.store_runs
WHERE
  graph_id = :graph_id
  AND extractor = :extractor
  AND CASE
    WHEN adapter_type = CAST(:adapter_type AS VARCHAR(65535))
    OR (
      adapter_type IS NULL AND CAST(:adapter_type AS VARCHAR(65535)) IS NULL
    )
    THEN TRUE
    ELSE FALSE
  END
  AND recorder_version = :recorder_version
  AND column_graph_id IS NOT NULL
ORDER BY
  recorded_at DESC
LIMIT 1;
