-- One row per source and measurement of its freshness by dbt, with the status before. Key: run_id, unique_id.
-- The run is the first one that has the measurement. `previous_status` is that of the previous measurement of the source in
-- the same project and environment, and outside `base` on the same branch.
-- Example: how old was a source on each day? SELECT snapshotted_at, max_loaded_at_time_ago_in_s FROM freshness_history
-- WHERE unique_id = 'source.shop.raw.orders'
CREATE OR REPLACE VIEW freshness_history AS
SELECT
  measured.run_id,
  measured.project_name,
  measured.environment,
  measured.branch,
  measured.run_at,
  measured.unique_id,
  node.name,
  node.source_name,
  place.schema_name,
  place.relation_name,
  measured.status,
  LAG(measured.status) OVER (
    PARTITION BY measured.project_name, measured.environment, measured.line, measured.unique_id
    ORDER BY measured.measured_at, measured.run_id DESC
  ) AS previous_status,
  measured.max_loaded_at,
  measured.snapshotted_at,
  measured.max_loaded_at_time_ago_in_s,
  measured.criteria,
  measured.error,
  ROW_NUMBER() OVER (
    PARTITION BY measured.project_name, measured.environment, measured.unique_id
    ORDER BY measured.measured_at DESC, measured.run_id
  ) AS age
FROM (
  SELECT
    freshness.*,
    runs.project_name,
    runs.environment,
    runs.branch,
    runs.run_at,
    runs.graph_id,
    CASE WHEN runs.environment = 'base' THEN NULL ELSE runs.branch END AS line,
    COALESCE(freshness.snapshotted_at, LEAST(runs.run_at, runs.recorded_at)) AS measured_at,
    ROW_NUMBER() OVER (
      PARTITION BY
        runs.project_name,
        runs.environment,
        CASE WHEN runs.environment = 'base' THEN NULL ELSE runs.branch END,
        freshness.unique_id,
        COALESCE(freshness.snapshotted_at, LEAST(runs.run_at, runs.recorded_at))
      ORDER BY LEAST(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
    ) AS place
  FROM store_runs AS runs
  JOIN store_source_freshness AS freshness ON freshness.run_id = runs.run_id
) AS measured
LEFT JOIN store_graph_nodes AS place ON place.graph_id = measured.graph_id AND place.unique_id = measured.unique_id
LEFT JOIN store_node_versions AS node ON node.version_id = place.version_id
WHERE measured.place = 1;
