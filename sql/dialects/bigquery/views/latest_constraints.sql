-- One row per constraint of the latest scan of each project and environment. Key: run_id, unique_id, ordinal.
CREATE OR REPLACE VIEW recce_metadata.latest_constraints AS
SELECT
  scan.project_name,
  scan.environment,
  scan.run_id,
  scan.run_at,
  item.unique_id,
  place.schema_name,
  item.name,
  item.ordinal,
  item.constraint_name,
  item.constraint_type,
  item.column_names,
  item.expression,
  item.parent_id,
  item.on_update,
  item.on_delete,
  item.options
FROM recce_metadata.latest_scans AS scan
JOIN recce_metadata.node_constraints AS item
  ON item.run_id = scan.run_id
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = scan.graph_id AND place.unique_id = item.unique_id;
