-- Insert no rows into tables that every record writes: fails if the role may not record.
INSERT INTO store_run_results (
  run_id,
  unique_id,
  status
)
SELECT
  run_id,
  unique_id,
  status
FROM store_run_results
WHERE
  1 = 0;
INSERT INTO store_runs (
  run_id,
  run_at,
  project_name,
  environment,
  extractor,
  node_count,
  edge_count,
  recorded_at,
  recorder_version,
  graph_id,
  macro_set_id
)
SELECT
  run_id,
  run_at,
  project_name,
  environment,
  extractor,
  node_count,
  edge_count,
  recorded_at,
  recorder_version,
  graph_id,
  macro_set_id
FROM store_runs
WHERE
  1 = 0;
