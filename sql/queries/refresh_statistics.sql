-- Update planner statistics after an insert: without them the planner assumes empty tables and joins a whole graph row
-- by row. A small sample is sufficient and fast.
SET LOCAL default_statistics_target = 10;
ANALYZE store_graph_parts;
ANALYZE store_part_nodes;
ANALYZE store_graph_steps;
ANALYZE store_graph_changes;
ANALYZE store_graph_impacts;
ANALYZE store_code_steps;
ANALYZE store_code_changes;
ANALYZE store_node_versions;
ANALYZE store_version_parents;
ANALYZE store_run_results;
ANALYZE store_runs;
ANALYZE store_node_statistics;
ANALYZE store_column_statistics;
ANALYZE store_column_parts;
ANALYZE store_column_part_nodes;
ANALYZE store_column_analyses;
ANALYZE store_column_edges;
ANALYZE store_fact_parts;
ANALYZE store_relation_facts;
ANALYZE store_version_references;
ANALYZE store_quality_runs;
ANALYZE store_table_quality;
ANALYZE store_column_quality;
ANALYZE store_column_top_values;
ANALYZE store_quality_metrics;
