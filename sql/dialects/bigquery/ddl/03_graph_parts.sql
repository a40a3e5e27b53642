-- One row per graph and part of it. A graph is cut into parts by its nodes' unique ids, as git cuts a
-- tree into folders: two graphs share the parts in which nothing differs, so that a changed node costs
-- the few rows of its part. Written once, by the first run that has the graph.
CREATE TABLE IF NOT EXISTS recce_metadata.graph_parts (
  graph_id STRING NOT NULL,
  part_id STRING NOT NULL,
  PRIMARY KEY (graph_id, part_id) NOT ENFORCED
)
CLUSTER BY graph_id;
