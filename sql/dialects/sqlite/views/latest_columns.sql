-- One row per column of the latest scan of each project and environment. Key: run_id, unique_id, ordinal.
DROP VIEW IF EXISTS latest_columns;
CREATE VIEW latest_columns AS
SELECT
  scan.project_name,
  scan.environment,
  scan.run_id,
  scan.run_at,
  item.unique_id,
  place.schema_name,
  item.name,
  item.resource_type,
  item.ordinal,
  item.column_name,
  item.column_type,
  item.not_null,
  item.default_value,
  item.generated_as,
  item.identity_generation,
  item.collation_name,
  item.description
FROM latest_scans AS scan
JOIN node_columns AS item
  ON item.run_id = scan.run_id
JOIN store_graph_nodes AS place
  ON place.graph_id = scan.graph_id AND place.unique_id = item.unique_id;
