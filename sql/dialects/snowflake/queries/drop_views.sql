-- The store's views, each before those that it reads: a migration writes them anew, with other columns.
DROP VIEW IF EXISTS recce_metadata.column_diff_history;
DROP VIEW IF EXISTS recce_metadata.data_diff_history;
DROP VIEW IF EXISTS recce_metadata.column_profiles;
DROP VIEW IF EXISTS recce_metadata.latest_row_counts;
DROP VIEW IF EXISTS recce_metadata.row_count_history;
DROP VIEW IF EXISTS recce_metadata.lineage_changes;
DROP VIEW IF EXISTS recce_metadata.impacted_nodes;
DROP VIEW IF EXISTS recce_metadata.column_changes;
DROP VIEW IF EXISTS recce_metadata.node_changes;
DROP VIEW IF EXISTS recce_metadata.run_steps;
DROP VIEW IF EXISTS recce_metadata.run_history;
DROP VIEW IF EXISTS recce_metadata.nodes;
DROP VIEW IF EXISTS recce_metadata.node_columns;
DROP VIEW IF EXISTS recce_metadata.lineage;
DROP VIEW IF EXISTS recce_metadata.latest_runs;
