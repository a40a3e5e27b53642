-- Set a run's column graph, which is already stored completely. It replaces an outdated column graph.
UPDATE recce_metadata.store_runs SET column_graph_id = :column_graph_id
WHERE
  run_id = :run_id
  AND COALESCE(column_graph_id, '') = COALESCE(CAST(:outdated AS STRING), '');
