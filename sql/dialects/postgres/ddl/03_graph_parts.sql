-- One row per graph and part of the graph. A graph is split into parts by its nodes' unique ids, like a git tree into
-- folders. Graphs share equal parts, so a changed node adds only the few rows of its part.
-- Written once, by the first run that has the graph.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_parts (
  graph_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (graph_id, part_id)
);
