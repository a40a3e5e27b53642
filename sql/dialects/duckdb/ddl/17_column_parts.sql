-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per column graph and part of it: column lineage of a run, cut into parts as graphs are.
-- Written once, by the first run that has the column graph.
CREATE TABLE IF NOT EXISTS recce_metadata.column_parts (
  column_graph_id TEXT(64) NOT NULL,
  part_id TEXT(64) NOT NULL
);
