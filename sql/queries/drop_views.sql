-- The store's views, each before those that it reads: a migration writes them anew, with other columns.
DROP VIEW IF EXISTS column_diff_history;
DROP VIEW IF EXISTS data_diff_history;
DROP VIEW IF EXISTS column_profiles;
DROP VIEW IF EXISTS latest_row_counts;
DROP VIEW IF EXISTS row_count_history;
DROP VIEW IF EXISTS lineage_changes;
DROP VIEW IF EXISTS impacted_nodes;
DROP VIEW IF EXISTS column_changes;
DROP VIEW IF EXISTS node_changes;
DROP VIEW IF EXISTS run_steps;
DROP VIEW IF EXISTS run_history;
DROP VIEW IF EXISTS nodes;
DROP VIEW IF EXISTS node_columns;
DROP VIEW IF EXISTS lineage;
DROP VIEW IF EXISTS latest_runs;
