-- What the planner goes by, brought up to date with rows that have just been written: until then it takes
-- every table for almost empty, and joins a whole graph row by row. A small sample does, and is quick.
SET LOCAL default_statistics_target = 10;
ANALYZE recce_metadata.graph_parts;
ANALYZE recce_metadata.part_nodes;
ANALYZE recce_metadata.graph_steps;
ANALYZE recce_metadata.graph_changes;
ANALYZE recce_metadata.node_versions;
ANALYZE recce_metadata.version_parents;
ANALYZE recce_metadata.run_results;
ANALYZE recce_metadata.runs;
ANALYZE recce_metadata.node_statistics;
ANALYZE recce_metadata.column_statistics;
ANALYZE recce_metadata.column_parts;
ANALYZE recce_metadata.column_part_nodes;
ANALYZE recce_metadata.column_analyses;
ANALYZE recce_metadata.column_edges;
ANALYZE recce_metadata.fact_parts;
ANALYZE recce_metadata.relation_facts;
ANALYZE recce_metadata.version_references;
ANALYZE recce_metadata.quality_runs;
ANALYZE recce_metadata.table_quality;
ANALYZE recce_metadata.column_quality;
ANALYZE recce_metadata.column_top_values;
ANALYZE recce_metadata.quality_metrics;
