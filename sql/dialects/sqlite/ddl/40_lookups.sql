-- hand-written: other warehouses have no indexes, or do not need these
-- Find the readers of a node and of its columns: `column_impact` looks them up one by one.
CREATE INDEX IF NOT EXISTS readers_of_nodes ON store_version_parents (parent_id);
CREATE INDEX IF NOT EXISTS places_of_versions ON store_part_nodes (version_id);
CREATE INDEX IF NOT EXISTS readers_of_columns ON store_column_edges (parent_id);
CREATE INDEX IF NOT EXISTS places_of_analyses ON store_column_part_nodes (lineage_id);
