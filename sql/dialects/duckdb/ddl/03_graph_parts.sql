-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per graph and part of the graph. A graph is split into parts by its nodes' unique ids, like a git tree into
-- folders. Graphs share equal parts, so a changed node adds only the few rows of its part.
-- Written once, by the first run that has the graph.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_parts (
  graph_id TEXT(64) NOT NULL,
  part_id TEXT(64) NOT NULL
);
