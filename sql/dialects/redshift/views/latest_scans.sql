-- One row per project and environment: its latest scan of a live database. A failed scan is never the latest.
CREATE OR REPLACE VIEW recce_metadata.latest_scans AS
SELECT
  run_id,
  run_at,
  project_name,
  environment,
  adapter_type,
  target_name,
  target_database,
  command,
  node_count,
  edge_count,
  recorded_at,
  recorder_version,
  graph_id,
  column_graph_id
FROM (
  SELECT
    runs.*,
    ROW_NUMBER() OVER (
      PARTITION BY project_name, environment
      ORDER BY LEAST(run_at, recorded_at) DESC, recorded_at DESC, run_id
    ) AS age
  FROM recce_metadata.store_runs AS runs
  WHERE
    extractor = 'database' AND status = 'complete'
) AS aged_scans
WHERE
  age = 1;
