-- hand-written: other servers maintain their statistics themselves
-- Update planner statistics after an insert: without them the planner assumes empty tables and joins a whole graph row
-- by row. A small sample is sufficient and fast.
SET LOCAL default_statistics_target = 10;
ANALYZE recce_metadata.store_graph_parts;
ANALYZE recce_metadata.store_part_nodes;
ANALYZE recce_metadata.store_graph_steps;
ANALYZE recce_metadata.store_graph_changes;
ANALYZE recce_metadata.store_graph_impacts;
ANALYZE recce_metadata.store_code_steps;
ANALYZE recce_metadata.store_code_changes;
ANALYZE recce_metadata.store_node_versions;
ANALYZE recce_metadata.store_version_parents;
ANALYZE recce_metadata.store_run_results;
ANALYZE recce_metadata.store_runs;
ANALYZE recce_metadata.store_node_statistics;
ANALYZE recce_metadata.store_column_statistics;
ANALYZE recce_metadata.store_column_parts;
ANALYZE recce_metadata.store_column_part_nodes;
ANALYZE recce_metadata.store_column_analyses;
ANALYZE recce_metadata.store_column_edges;
ANALYZE recce_metadata.store_fact_parts;
ANALYZE recce_metadata.store_relation_facts;
ANALYZE recce_metadata.store_version_references;
ANALYZE recce_metadata.store_quality_runs;
ANALYZE recce_metadata.store_table_quality;
ANALYZE recce_metadata.store_column_quality;
ANALYZE recce_metadata.store_column_top_values;
ANALYZE recce_metadata.store_quality_metrics;
