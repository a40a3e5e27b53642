-- hand-written: ALTER TABLE renames views; the table of long texts names other tables
-- The view behind the others has a prefix as the tables do, which `rename_tables` has renamed. Users' views follow it.
ALTER TABLE recce_metadata.graph_nodes RENAME TO store_graph_nodes;

UPDATE recce_metadata.store_long_texts SET table_name = 'store_' || table_name;
