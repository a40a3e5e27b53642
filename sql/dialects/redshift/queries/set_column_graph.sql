-- Give a run its column graph, all of which is stored by then: in the place of an outdated one, if it has one.
UPDATE recce_metadata.runs SET column_graph_id = :column_graph_id
WHERE
  run_id = :run_id
  AND COALESCE(column_graph_id, '') = COALESCE(CAST(:outdated AS VARCHAR(65535)), '');
