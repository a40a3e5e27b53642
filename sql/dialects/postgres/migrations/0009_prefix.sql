-- hand-written: only a renamed view keeps the views of users
-- The view behind the others has a prefix as the tables do, which `rename_tables` has renamed. Users' views follow it.
ALTER VIEW IF EXISTS recce_metadata.graph_nodes RENAME TO store_graph_nodes;
