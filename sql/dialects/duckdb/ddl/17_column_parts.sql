-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per column graph and part of it: column lineage of a run, split into parts like a graph.
-- Written once, by the first run that has the column graph.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_parts (
  column_graph_id TEXT(64) NOT NULL,
  part_id TEXT(64) NOT NULL
);
