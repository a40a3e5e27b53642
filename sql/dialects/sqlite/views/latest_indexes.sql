-- One row per index of the latest scan of each project and environment, except indexes of constraints.
-- Key: run_id, unique_id, ordinal.
DROP VIEW IF EXISTS latest_indexes;
CREATE VIEW latest_indexes AS
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
FROM latest_scans AS scan
JOIN node_indexes AS item
  ON item.run_id = scan.run_id
JOIN store_graph_nodes AS place
  ON place.graph_id = scan.graph_id AND place.unique_id = item.unique_id;
