-- Number of rows of each table.
SELECT 'runs' AS table_name, COUNT(*) AS row_count FROM store_runs
UNION ALL
SELECT 'run_results' AS table_name, COUNT(*) AS row_count FROM store_run_results
UNION ALL
SELECT 'source_freshness' AS table_name, COUNT(*) AS row_count FROM store_source_freshness
UNION ALL
SELECT 'graph_parts' AS table_name, COUNT(*) AS row_count FROM store_graph_parts
UNION ALL
SELECT 'part_nodes' AS table_name, COUNT(*) AS row_count FROM store_part_nodes
UNION ALL
SELECT 'graph_steps' AS table_name, COUNT(*) AS row_count FROM store_graph_steps
UNION ALL
SELECT 'graph_changes' AS table_name, COUNT(*) AS row_count FROM store_graph_changes
UNION ALL
SELECT 'graph_impacts' AS table_name, COUNT(*) AS row_count FROM store_graph_impacts
UNION ALL
SELECT 'code_steps' AS table_name, COUNT(*) AS row_count FROM store_code_steps
UNION ALL
SELECT 'code_changes' AS table_name, COUNT(*) AS row_count FROM store_code_changes
UNION ALL
SELECT 'node_versions' AS table_name, COUNT(*) AS row_count FROM store_node_versions
UNION ALL
SELECT 'version_parents' AS table_name, COUNT(*) AS row_count FROM store_version_parents
UNION ALL
SELECT 'macro_sets' AS table_name, COUNT(*) AS row_count FROM store_macro_sets
UNION ALL
SELECT 'macros' AS table_name, COUNT(*) AS row_count FROM store_macros
UNION ALL
SELECT 'node_statistics' AS table_name, COUNT(*) AS row_count FROM store_node_statistics
UNION ALL
SELECT 'column_statistics' AS table_name, COUNT(*) AS row_count FROM store_column_statistics
UNION ALL
SELECT 'data_diffs' AS table_name, COUNT(*) AS row_count FROM store_data_diffs
UNION ALL
SELECT 'column_diffs' AS table_name, COUNT(*) AS row_count FROM store_column_diffs
UNION ALL
SELECT 'column_parts' AS table_name, COUNT(*) AS row_count FROM store_column_parts
UNION ALL
SELECT 'column_part_nodes' AS table_name, COUNT(*) AS row_count FROM store_column_part_nodes
UNION ALL
SELECT 'column_analyses' AS table_name, COUNT(*) AS row_count FROM store_column_analyses
UNION ALL
SELECT 'column_edges' AS table_name, COUNT(*) AS row_count FROM store_column_edges
UNION ALL
SELECT 'fact_parts' AS table_name, COUNT(*) AS row_count FROM store_fact_parts
UNION ALL
SELECT 'relation_facts' AS table_name, COUNT(*) AS row_count FROM store_relation_facts
UNION ALL
SELECT 'version_references' AS table_name, COUNT(*) AS row_count FROM store_version_references
UNION ALL
SELECT 'quality_runs' AS table_name, COUNT(*) AS row_count FROM store_quality_runs
UNION ALL
SELECT 'table_quality' AS table_name, COUNT(*) AS row_count FROM store_table_quality
UNION ALL
SELECT 'column_quality' AS table_name, COUNT(*) AS row_count FROM store_column_quality
UNION ALL
SELECT 'column_top_values' AS table_name, COUNT(*) AS row_count FROM store_column_top_values
UNION ALL
SELECT 'quality_metrics' AS table_name, COUNT(*) AS row_count FROM store_quality_metrics
UNION ALL
SELECT 'check_results' AS table_name, COUNT(*) AS row_count FROM store_check_results
UNION ALL
SELECT 'reviews' AS table_name, COUNT(*) AS row_count FROM store_reviews
UNION ALL
SELECT 'sync_conflicts' AS table_name, COUNT(*) AS row_count FROM store_sync_conflicts
UNION ALL
SELECT 'sync_conflict_pieces' AS table_name, COUNT(*) AS row_count FROM store_sync_conflict_pieces;
