-- One row per column graph and part of it: column lineage of a run, cut into parts as graphs are.
-- Written once, by the first run that has the column graph.
CREATE TABLE IF NOT EXISTS recce_metadata.column_parts (
  column_graph_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (column_graph_id, part_id)
);
