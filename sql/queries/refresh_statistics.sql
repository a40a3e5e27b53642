-- What the planner goes by, brought up to date with rows that have just been written: until then it takes
-- every table for almost empty, and joins a whole graph row by row. A small sample does, and is quick.
SET LOCAL default_statistics_target = 10;
ANALYZE graph_parts;
ANALYZE part_nodes;
ANALYZE graph_steps;
ANALYZE graph_changes;
ANALYZE node_versions;
ANALYZE version_parents;
ANALYZE run_results;
ANALYZE runs;
ANALYZE node_statistics;
ANALYZE column_statistics;
ANALYZE column_parts;
ANALYZE column_part_nodes;
ANALYZE column_analyses;
ANALYZE column_edges;
ANALYZE fact_parts;
ANALYZE relation_facts;
ANALYZE version_references;
ANALYZE quality_runs;
ANALYZE table_quality;
ANALYZE column_quality;
ANALYZE column_top_values;
ANALYZE quality_metrics;
