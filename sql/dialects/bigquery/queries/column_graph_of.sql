-- Column graph of the latest run of this graph by the same recorder; its result can be reused.
SELECT
  column_graph_id
FROM recce_metadata.store_runs
WHERE
  graph_id = :graph_id
  AND extractor = :extractor
  AND adapter_type IS NOT DISTINCT FROM CAST(:adapter_type AS STRING)
  AND recorder_version = :recorder_version
  AND column_graph_id IS NOT NULL
ORDER BY
  recorded_at DESC NULLS FIRST
LIMIT 1;
