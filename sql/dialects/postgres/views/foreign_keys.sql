-- One row per scanned run, relation and foreign key of the relation: rows of `node_id` refer to rows of `parent_id`.
-- This is not lineage, because no rows flow along it. Key: run_id, node_id, ordinal.
-- `columns` and `parent_columns` are arrays in the same order. `column_names` and `parent_column_names` are the same
-- names joined by commas.
CREATE OR REPLACE VIEW recce_metadata.foreign_keys AS
SELECT
  runs.run_id,
  runs.project_name,
  runs.environment,
  place.unique_id AS node_id,
  link.ordinal,
  link.name,
  REPLACE(
    REPLACE(REPLACE(REPLACE(CAST(link.columns AS TEXT), '["', ''), '","', ', '), '", "', ', '),
    '"]',
    ''
  ) AS column_names,
  link.parent_id,
  REPLACE(
    REPLACE(
      REPLACE(REPLACE(CAST(link.parent_columns AS TEXT), '["', ''), '","', ', '),
      '", "',
      ', '
    ),
    '"]',
    ''
  ) AS parent_column_names,
  link.columns,
  link.parent_columns,
  link.on_update,
  link.on_delete
FROM recce_metadata.store_runs AS runs
JOIN recce_metadata.store_graph_nodes AS place
  ON place.graph_id = runs.graph_id
JOIN recce_metadata.store_version_references AS link
  ON link.version_id = place.version_id;
