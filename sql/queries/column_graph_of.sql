-- The column graph of the latest run that the same recorder made of this graph: the same again would come out.
SELECT column_graph_id
FROM runs
WHERE
  graph_id = :graph_id
  AND extractor = :extractor
  AND adapter_type IS NOT DISTINCT FROM CAST(:adapter_type AS TEXT)
  AND recorder_version = :recorder_version
  AND column_graph_id IS NOT NULL
ORDER BY recorded_at DESC
LIMIT 1;
