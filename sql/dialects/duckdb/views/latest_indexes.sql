-- One row per index of the latest scan of each project and environment, except indexes of constraints.
-- Key: run_id, unique_id, ordinal.
CREATE OR REPLACE VIEW recce_metadata.latest_indexes AS
SELECT
  scan.project_name,
  scan.environment,
  scan.run_id,
  scan.run_at,
  item.unique_id,
  place.schema_name,
  item.name,
  item.ordinal,
  item.index_name,
  item.is_unique,
  item.definition
FROM recce_metadata.latest_scans AS scan
JOIN recce_metadata.node_indexes AS item
  ON item.run_id = scan.run_id
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = scan.graph_id AND place.unique_id = item.unique_id;
